import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import type { Availability, EngineFacts, EngineName, EngineProgram } from './engine-choice.ts';
import { STACK_LIMITS } from './limits.ts';

const run = promisify(execFile);

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where servers live although they are often not on a user's PATH. */
const MORE_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
];

/** The first executable file of one of these names, on PATH or in the usual folders. Names go before folders. */
export function findExecutable(names: readonly string[], env: Environment): string | undefined {
  const folders = [...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...MORE_FOLDERS];
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function findRedisProgram(env: Environment): EngineProgram | undefined {
  const path = findExecutable(['redis-server', 'valkey-server'], env);
  if (path === undefined) return undefined;
  return { path, flavour: path.endsWith('valkey-server') ? 'valkey' : 'redis' };
}

/** Finds MySQL or MariaDB. On many systems `mysqld` is a link to MariaDB, so the program is asked what it is. */
export async function findMysqlProgram(env: Environment): Promise<EngineProgram | undefined> {
  for (const name of ['mysqld', 'mariadbd']) {
    const path = findExecutable([name], env);
    if (path === undefined) continue;
    const program = await identifyMysql(path, env);
    if (program !== undefined) return program;
  }
  return undefined;
}

async function identifyMysql(path: string, env: Environment): Promise<EngineProgram | undefined> {
  let version: string;
  try {
    version = (await run(path, ['--no-defaults', '--version'], { timeout: STACK_LIMITS.probeTimeoutMs * 5 })).stdout;
  } catch {
    // Installed, but it does not even tell its version: as good as absent.
    return undefined;
  }
  if (!/mariadb/i.test(version)) return { path, flavour: 'mysql' };
  // Its own installation first: with two MariaDBs on a machine the programs must belong together.
  const beside = join(dirname(path), '..', 'bin');
  const together = { PATH: `${beside}${delimiter}${env.PATH ?? ''}` };
  const initialiser = findExecutable(['mariadb-install-db', 'mysql_install_db'], together);
  // The initialiser is a shell script around this helper, which some systems keep in the client's package.
  const helper = findExecutable(['my_print_defaults'], together);
  return initialiser === undefined || helper === undefined ? undefined : { path, flavour: 'mariadb', initialiser };
}

/** Whether a Docker engine answers and has `compose`; the client alone proves nothing. */
export async function findDocker(env: Environment): Promise<Availability & { readonly path?: string }> {
  const path = findExecutable(['docker'], env);
  if (path === undefined) return { available: false, reason: 'there is no docker command' };
  const options = { timeout: STACK_LIMITS.dockerProbeTimeoutMs, env: { ...env } };
  try {
    await run(path, ['version', '--format', '{{.Server.Version}}'], options);
  } catch (error) {
    const line = messageOf(error)
      .split('\n')
      .find((text) => /daemon|connect|permission/i.test(text));
    return { available: false, reason: `no Docker engine answers (${line?.trim() ?? 'docker version failed'})` };
  }
  try {
    await run(path, ['compose', 'version'], options);
  } catch {
    return { available: false, reason: 'the Docker engine answers, but `docker compose` is not installed' };
  }
  return { available: true, path };
}

/** Whether this process may install packages: root on Debian, Ubuntu or a relative. */
export function findApt(options: { readonly env: Environment; readonly install: boolean }): Availability {
  if (!options.install) return { available: false, reason: 'it was forbidden with --no-install' };
  if (process.platform !== 'linux') return { available: false, reason: 'only done on Debian and Ubuntu' };
  if (findExecutable(['apt-get'], options.env) === undefined || !isDebianLike()) {
    return { available: false, reason: 'only done on Debian and Ubuntu' };
  }
  if (process.getuid?.() !== 0) return { available: false, reason: 'only done as root' };
  return { available: true };
}

function isDebianLike(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** Looks at this machine. Docker is asked only when an engine needs it: a client without an engine can be slow to say so. */
export async function gatherEngineFacts(options: {
  readonly env: Environment;
  readonly install: boolean;
}): Promise<EngineFacts & { readonly dockerPath?: string }> {
  const { env } = options;
  const givenUrls: Partial<Record<EngineName, string>> = {};
  if (isSet(env.FEST_REDIS_URL)) givenUrls.redis = env.FEST_REDIS_URL;
  if (isSet(env.FEST_MYSQL_URL)) givenUrls.mysql = env.FEST_MYSQL_URL;
  const programs: Partial<Record<EngineName, EngineProgram>> = {};
  const redis = givenUrls.redis === undefined ? findRedisProgram(env) : undefined;
  if (redis !== undefined) programs.redis = redis;
  const mysql = givenUrls.mysql === undefined ? await findMysqlProgram(env) : undefined;
  if (mysql !== undefined) programs.mysql = mysql;
  const complete =
    (givenUrls.redis ?? programs.redis) !== undefined && (givenUrls.mysql ?? programs.mysql) !== undefined;
  const { path: dockerPath, ...docker } = complete
    ? { available: false as const, reason: 'not needed', path: undefined }
    : { path: undefined, ...(await findDocker(env)) };
  return {
    givenUrls,
    programs,
    docker,
    apt: findApt(options),
    platform: process.platform,
    ...(dockerPath === undefined ? {} : { dockerPath }),
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
