import { join } from 'node:path';
import { ensurePrivateDirectory, writePrivateFile } from '../private-files.ts';
import type { EngineProgram } from './engine-choice.ts';
import type { Environment } from './engine-facts.ts';
import type { StackEventListener } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import { LOOPBACK } from './ports.ts';
import { assertRedisUsable, probeRedis } from './probe-redis.ts';
import type { Supervision } from './supervision.ts';

/** What every private engine is started with. */
export interface PrivateEngineOptions {
  readonly program: EngineProgram;
  readonly port: number;
  readonly supervision: Supervision;
  readonly env: Environment;
  readonly emit: StackEventListener;
  readonly random: () => number;
}

/** The configuration of a private Redis: loopback only, a password, every write in the append-only file within a second. */
export function redisConfiguration(options: { readonly port: number; readonly password: string }): string {
  return [
    `bind ${LOOPBACK}`,
    `port ${options.port}`,
    'protected-mode yes',
    `requirepass ${options.password}`,
    'daemonize no',
    'dir ./',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

/** Prepares a private Redis in `.fest/redis`; it is not started yet. */
export function prepareRedis(options: PrivateEngineOptions & { readonly password: string }): {
  readonly process: ManagedProcess;
  readonly url: string;
} {
  const { port, password, supervision } = options;
  const folder = supervision.paths.redis;
  ensurePrivateDirectory(folder);
  writePrivateFile(join(folder, 'redis.conf'), redisConfiguration({ port, password }));
  const url = `redis://default:${password}@${LOOPBACK}:${port}`;
  const managed = manageProcess({
    name: 'redis',
    kind: 'engine',
    command: options.program.path,
    // The password stands in the file: arguments are visible to everybody on the machine.
    args: ['./redis.conf'],
    cwd: folder,
    // Some versions refuse to start under a locale that is not installed.
    env: { PATH: options.env.PATH, LC_ALL: 'C' },
    logFile: join(supervision.paths.logs, 'redis.log'),
    probe: async () => assertRedisUsable(await probeRedis(url)),
    readyTimeoutMs: STACK_LIMITS.engineReadyTimeoutMs,
    stopTimeoutMs: STACK_LIMITS.engineStopTimeoutMs,
    supervision,
    emit: options.emit,
    random: options.random,
  });
  return { process: managed, url };
}
