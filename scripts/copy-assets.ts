/**
 * Copies the files a compiler does not emit (Lua scripts, migrations) next to the compiled code. What is gone at the source
 * goes at the target too: a migration that was renamed must not be run under both names.
 * Usage: node scripts/copy-assets.ts <from> <to> <.extension> …
 */
import { cpSync, globSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';

const [from, to, ...extensions] = process.argv.slice(2);
if (from === undefined || to === undefined || extensions.length === 0) {
  throw new Error('usage: node copy-assets.ts <from> <to> <.extension> …');
}
for (const extension of extensions) {
  for (const file of globSync(`**/*${extension}`, { cwd: to })) rmSync(join(to, file));
}
cpSync(from, to, {
  recursive: true,
  filter: (source) => extname(source) === '' || extensions.includes(extname(source)),
});
