#!/usr/bin/env node
// The launcher npm links as `fest`. It is plain JavaScript and committed, so that the link exists before the first build
// and so that an old Node gets a sentence instead of a syntax error.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `fest needs Node 24 or newer; this is ${process.version} (${process.execPath}).\n` +
      'Run it as `npx fest …` in the project folder: npm puts the Node 24 of the workspace first on PATH.\n',
  );
  process.exit(2);
}
const { existsSync } = await import('node:fs');
if (!existsSync(new URL('../dist/bin.js', import.meta.url))) {
  process.stderr.write('fest is not built yet. Run `npm run build` in the project folder, then try again.\n');
  process.exit(2);
}
await import('../dist/bin.js');
