/**
 * What is started in place of the server: reads its environment file at each start, as systemd's `EnvironmentFile=` is read, and
 * becomes the server. So a restart is enough for another FEST_MYSQL_URL.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ENVIRONMENT_FILE } from './options.ts';

const SERVER = resolve(import.meta.dirname, '../../packages/server/dist/main.js');

const { [ENVIRONMENT_FILE]: file = '', ...inherited } = process.env;
const own = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
if (process.execve === undefined) throw new Error('this Node cannot become another program');
process.execve(process.execPath, [process.execPath, SERVER], { ...inherited, ...own });
