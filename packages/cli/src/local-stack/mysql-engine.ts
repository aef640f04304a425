import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { ensurePrivateDirectory, isRecord, readJsonIfPresent, writePrivateFile } from '../private-files.ts';
import type { EngineProgram } from './engine-choice.ts';
import { STACK_LIMITS } from './limits.ts';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import type { StackPaths } from './paths.ts';
import { LOOPBACK } from './ports.ts';
import { assertMysqlUsable, probeMysql } from './probe-mysql.ts';
import type { PrivateEngineOptions } from './redis-engine.ts';

export const DATABASE = 'fest';
const USER = 'fest';

/** Prepares a private MySQL or MariaDB in `.fest/mysql`, initialising its data folder the first time; not started yet. */
export async function prepareMysql(
  options: PrivateEngineOptions & { readonly password: string; readonly rootPassword: string },
): Promise<{ readonly process: ManagedProcess; readonly url: string }> {
  const { program, port, password, supervision, emit } = options;
  const { paths } = supervision;
  ensurePrivateDirectory(paths.mysql);
  await ensureDataFolder(program, paths, emit);
  const initFile = join(paths.mysql, 'accounts.sql');
  writePrivateFile(initFile, accountStatements(options).join('\n'));
  const url = `mysql://${USER}:${password}@${LOOPBACK}:${port}/${DATABASE}`;
  const managed = manageProcess({
    name: 'mysql',
    kind: 'engine',
    command: program.path,
    args: serverArguments({ program, port, dataFolder: join(paths.mysql, 'data'), initFile }),
    cwd: paths.mysql,
    env: { PATH: options.env.PATH, LC_ALL: 'C' },
    logFile: join(paths.logs, 'mysql.log'),
    probe: async () => assertMysqlUsable(await probeMysql(url)),
    readyTimeoutMs: STACK_LIMITS.engineReadyTimeoutMs,
    stopTimeoutMs: STACK_LIMITS.engineStopTimeoutMs,
    supervision,
    emit,
    random: options.random,
  });
  return { process: managed, url };
}

/**
 * Run by the server at each start, before it listens. So a password that was replaced in `.fest/secrets.json` holds, and
 * the accounts without a password that an initialisation makes are closed before anybody can use them.
 */
export function accountStatements(options: {
  readonly program: EngineProgram;
  readonly password: string;
  readonly rootPassword: string;
}): readonly string[] {
  const user = `'${USER}'@'${LOOPBACK}'`;
  return [
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${options.rootPassword}';`,
    ...["'root'@'127.0.0.1'", "'root'@'::1'", "''@'localhost'"].map((account) => `DROP USER IF EXISTS ${account};`),
    `CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;`,
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${options.password}';`,
    `ALTER USER ${user} IDENTIFIED BY '${options.password}';`,
    `GRANT ALL PRIVILEGES ON ${DATABASE}.* TO ${user};`,
    // Tests make databases of their own beside it.
    `GRANT ALL PRIVILEGES ON \`${DATABASE}\\_%\`.* TO ${user};`,
    '',
  ];
}

function serverArguments(options: {
  readonly program: EngineProgram;
  readonly port: number;
  readonly dataFolder: string;
  readonly initFile: string;
}): readonly string[] {
  return [
    '--no-defaults',
    `--datadir=${options.dataFolder}`,
    `--bind-address=${LOOPBACK}`,
    `--port=${options.port}`,
    // Relative to the data folder: the path of a Unix socket has at most 107 bytes, and folders are often deeper.
    '--socket=mysql.sock',
    `--pid-file=${options.dataFolder}.pid`,
    `--init-file=${options.initFile}`,
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    '--default-time-zone=+00:00',
    // Small enough for a laptop, large enough that a demo's working set stays in memory.
    '--innodb-buffer-pool-size=256M',
    // An order is applied when it is on disk.
    '--innodb-flush-log-at-trx-commit=1',
    '--max-connections=300',
    '--skip-log-bin',
    '--performance-schema=OFF',
    ...(options.program.flavour === 'mysql' ? ['--mysqlx=OFF', '--secure-file-priv=NULL'] : []),
    ...asRoot(),
  ];
}

/** Both servers refuse to run as root unless told so. */
function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/**
 * Initialises the data folder once. The work is done in a folder beside it that takes the right name only when it is
 * complete: one that was interrupted is thrown away and done anew.
 */
async function ensureDataFolder(
  program: EngineProgram,
  paths: StackPaths,
  emit: PrivateEngineOptions['emit'],
): Promise<void> {
  const dataFolder = join(paths.mysql, 'data');
  const noteFile = join(paths.mysql, 'engine.json');
  if (existsSync(dataFolder)) {
    const note = readJsonIfPresent(noteFile);
    if (isRecord(note) && typeof note.flavour === 'string' && note.flavour !== program.flavour) {
      throw differentFlavour(program, note.flavour, dataFolder);
    }
    return;
  }
  const unfinished = join(paths.mysql, 'initialising');
  if (existsSync(unfinished)) {
    emit({ type: 'warning', message: 'The first initialisation of the database was interrupted; doing it anew.' });
    rmSync(unfinished, { recursive: true, force: true });
  }
  emit({
    type: 'progress',
    message: `Initialising a new ${program.flavour === 'mariadb' ? 'MariaDB' : 'MySQL'} in ${dataFolder}.`,
  });
  const logFile = join(paths.logs, 'mysql-initialise.log');
  await initialise(program, { parent: paths.mysql, name: 'initialising' }, logFile);
  writePrivateFile(noteFile, `${JSON.stringify({ flavour: program.flavour })}\n`);
  renameSync(unfinished, dataFolder);
}

async function initialise(
  program: EngineProgram,
  folder: { readonly parent: string; readonly name: string },
  logFile: string,
): Promise<void> {
  // Relative to the working directory: MariaDB's initialiser is a shell script that breaks on a space in a path.
  const dataFolder = `--datadir=./${folder.name}`;
  const [command, args] =
    program.initialiser === undefined
      ? [program.path, ['--no-defaults', '--initialize-insecure', dataFolder, '--secure-file-priv=NULL']]
      : [
          program.initialiser,
          [
            '--no-defaults',
            dataFolder,
            '--auth-root-authentication-method=normal',
            '--skip-test-db',
            '--skip-name-resolve',
          ],
        ];
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...args, ...asRoot()], {
      cwd: folder.parent,
      timeout: STACK_LIMITS.engineReadyTimeoutMs,
      maxBuffer: 16 * 1024 * 1024,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin', LC_ALL: 'C' },
    });
    writePrivateFile(logFile, `${stdout}${stderr}`);
  } catch (error) {
    const output = isRecord(error) ? `${error.stdout ?? ''}${error.stderr ?? ''}` : '';
    writePrivateFile(logFile, `${messageOf(error)}\n${output}`);
    throw initialisationFailed(program, logFile, output.trim() === '' ? messageOf(error) : output, error);
  }
}

function initialisationFailed(program: EngineProgram, logFile: string, output: string, error: unknown): FixableError {
  const lines = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-STACK_LIMITS.logTailLines);
  const confined = lines.some((line) => /permission denied|errno: 13/i.test(line)) && isConfined(program.path);
  return new FixableError({
    what: `${program.path} could not initialise a data folder`,
    why: lines.map((line) => `  | ${line}`).join('\n'),
    fix: confined
      ? `AppArmor keeps ${program.path} away from this folder. Use a server that runs already (FEST_MYSQL_URL), or MariaDB.`
      : `The whole log is ${logFile}. Or use a server that runs already: FEST_MYSQL_URL=mysql://user:password@host:3306/fest`,
    exitCode: EXIT.unreachable,
    cause: error,
  });
}

/** Ubuntu confines its MySQL to its own folders. */
function isConfined(path: string): boolean {
  try {
    return readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8').includes(`${path} (enforce)`);
  } catch {
    return existsSync('/etc/apparmor.d/usr.sbin.mysqld');
  }
}

function differentFlavour(program: EngineProgram, flavour: string, dataFolder: string): FixableError {
  return new FixableError({
    what: `The data in ${dataFolder} cannot be used by ${program.path}`,
    why: `it was made by ${flavour}, and this is ${program.flavour}; neither reads the other's files`,
    fix: `Put ${flavour} back on PATH, use another folder (fest -C <folder> up), or delete .fest to begin anew.`,
    exitCode: EXIT.unreachable,
  });
}
