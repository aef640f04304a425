/**
 * Copies the files a compiler does not emit (Lua scripts, migrations) next to the compiled code.
 * Usage: node scripts/copy-assets.ts <from> <to> <.extension> …
 */
import { cpSync } from 'node:fs';
import { extname } from 'node:path';

const [from, to, ...extensions] = process.argv.slice(2);
if (from === undefined || to === undefined || extensions.length === 0) {
  throw new Error('usage: node copy-assets.ts <from> <to> <.extension> …');
}
cpSync(from, to, {
  recursive: true,
  filter: (source) => extname(source) === '' || extensions.includes(extname(source)),
});
