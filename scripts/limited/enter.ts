/**
 * What is started in place of the server: goes into the control group and becomes the server there, before the first of its
 * instructions, so that all its memory is counted. The process stays the one that was started.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LIMITED_FILES, LIMITED_PROCS } from './options.ts';

const SERVER = resolve(import.meta.dirname, '../../packages/server/dist/main.js');

const { [LIMITED_PROCS]: procs = '', [LIMITED_FILES]: files = '', ...env } = process.env;
for (const file of procs.split(':')) writeFileSync(file, String(process.pid));
// Where this machine allows less, as much as it allows: the result says how much that is.
const script = 'ulimit -n "$1" 2>/dev/null || ulimit -n "$(ulimit -H -n)"; exec "$0" "$2"';
if (process.execve === undefined) throw new Error('this Node cannot become another program');
process.execve('/bin/sh', ['sh', '-c', script, process.execPath, files, SERVER], env);
