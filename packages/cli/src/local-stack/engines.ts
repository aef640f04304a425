import { FixableError, InterruptedError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { installEngines } from './apt.ts';
import { type DockerEngines, startDockerEngines } from './docker.ts';
import {
  chooseEngineSource,
  describeSource,
  ENGINE_NAMES,
  type EngineName,
  type EngineProgram,
  type EngineSource,
  installCommand,
} from './engine-choice.ts';
import { type Environment, gatherEngineFacts } from './engine-facts.ts';
import type { StackEventListener } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import { type ManagedProcess, StartFailedError } from './managed-process.ts';
import { prepareMysql } from './mysql-engine.ts';
import { stackPaths } from './paths.ts';
import { findFreePort } from './ports.ts';
import { reachEngine } from './reach-engine.ts';
import { prepareRedis } from './redis-engine.ts';
import { ensureSecrets, type LocalSecrets } from './secrets.ts';
import { openSupervision, type Supervision } from './supervision.ts';

export interface Engine {
  readonly name: EngineName;
  readonly url: string;
  readonly source: Exclude<EngineSource['kind'], 'missing' | 'install'>;
  /** The private server: it can be stopped, killed and started again on the same port. Undefined for engines of others. */
  readonly process?: ManagedProcess;
}

export interface Engines {
  readonly redisUrl: string;
  readonly mysqlUrl: string;
  readonly redis: Engine;
  readonly mysql: Engine;
  /** Stops what was started here; engines that were given run on. */
  stop(): Promise<void>;
}

export interface StartEnginesOptions {
  /** Data, logs and secrets are kept in its `.fest`. */
  readonly directory: string;
  /** `PATH`, `FEST_REDIS_URL` and `FEST_MYSQL_URL` are read from it; usually `process.env`. */
  readonly env: Environment;
  /** Whether missing engines may be installed with apt-get; default true. */
  readonly install?: boolean;
  readonly onEvent?: StackEventListener;
  readonly signal?: AbortSignal;
  readonly random?: () => number;
}

/** Redis and MySQL alone, without servers: for tests. One start per folder at a time. */
export async function startEngines(options: StartEnginesOptions): Promise<Engines> {
  const emit = options.onEvent ?? (() => {});
  const paths = stackPaths(options.directory);
  const supervision = await openSupervision({ paths, purpose: 'a start of the engines alone', emit });
  try {
    const secrets = ensureSecrets(paths.secrets);
    const engines = await startEnginesUnder(supervision, secrets, { ...options, onEvent: emit });
    return {
      ...engines,
      async stop() {
        await engines.stop();
        await supervision.close();
      },
    };
  } catch (error) {
    await supervision.close();
    throw error;
  }
}

/** The same under a supervision that already exists; the caller closes it. */
export async function startEnginesUnder(
  supervision: Supervision,
  secrets: LocalSecrets,
  options: StartEnginesOptions,
): Promise<Engines> {
  const emit = options.onEvent ?? (() => {});
  const { sources, dockerPath } = await findSources(supervision, options, emit);
  const started: Partial<Record<EngineName, Engine>> = {};
  let docker: DockerEngines | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(ENGINE_NAMES.map((name) => started[name]?.process?.stop()));
    await docker?.stop();
  };
  try {
    const inDocker = ENGINE_NAMES.filter((name) => sources[name].kind === 'docker');
    if (inDocker.length > 0 && dockerPath !== undefined) {
      docker = await startDockerEngines({
        docker: dockerPath,
        engines: inDocker,
        secrets,
        supervision,
        env: options.env,
        emit,
      });
    }
    const results = await Promise.allSettled(
      ENGINE_NAMES.map(async (name) => {
        const source = sources[name];
        started[name] =
          source.kind === 'private'
            ? await startPrivate(name, source.program, supervision, secrets, options)
            : await attachEngine(name, source, docker);
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const { redis, mysql } = started;
    if (redis === undefined || mysql === undefined) throw new Error('an engine is neither started nor refused');
    return { redis, mysql, redisUrl: redis.url, mysqlUrl: mysql.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Sources = Readonly<Record<EngineName, EngineSource>>;

/** Looks where the engines come from, installs what is missing where that is possible, and looks again. */
async function findSources(
  supervision: Supervision,
  options: StartEnginesOptions,
  emit: StackEventListener,
): Promise<{ readonly sources: Sources; readonly dockerPath?: string }> {
  const install = options.install ?? true;
  let facts = await gatherEngineFacts({ env: options.env, install });
  const choose = (): Sources => ({
    redis: chooseEngineSource('redis', facts),
    mysql: chooseEngineSource('mysql', facts),
  });
  let sources = choose();
  const toInstall = ENGINE_NAMES.filter((name) => sources[name].kind === 'install');
  if (toInstall.length > 0) {
    const { paths } = supervision;
    await installEngines({ engines: toInstall, paths, env: options.env, emit, signal: options.signal });
    facts = {
      ...(await gatherEngineFacts({ env: options.env, install: false })),
      apt: { available: false, reason: 'apt-get succeeded, but its program is not where it should be' },
    };
    sources = choose();
  }
  const missing = ENGINE_NAMES.filter((name) => sources[name].kind === 'missing');
  if (missing.length > 0) throw enginesMissing(missing, sources, facts.platform);
  for (const name of ENGINE_NAMES) {
    emit({ type: 'progress', message: `${name}: ${describeSource(name, sources[name])}` });
  }
  if (options.signal?.aborted === true) throw new InterruptedError();
  return { sources, ...(facts.dockerPath === undefined ? {} : { dockerPath: facts.dockerPath }) };
}

function enginesMissing(missing: readonly EngineName[], sources: Sources, platform: string): FixableError {
  const [first] = missing;
  const source = first === undefined ? undefined : sources[first];
  const urls = missing.map((name) => `FEST_${name.toUpperCase()}_URL=${name}://…`).join(' ');
  return new FixableError({
    what: `${missing.join(' and ')} not found`,
    why: source?.kind === 'missing' ? source.reasons.join('; ') : 'nothing provides it',
    fix: `Install it:\n  ${installCommand(missing, platform)}\nor say where one runs: ${urls} fest up`,
    exitCode: EXIT.unreachable,
  });
}

/** Starts a private server; when somebody takes its port at the last moment, with another one. */
async function startPrivate(
  name: EngineName,
  program: EngineProgram,
  supervision: Supervision,
  secrets: LocalSecrets,
  options: StartEnginesOptions,
): Promise<Engine> {
  const emit = options.onEvent ?? (() => {});
  for (let attempt = 1; ; attempt += 1) {
    const common = {
      program,
      port: await findFreePort(),
      supervision,
      env: options.env,
      emit,
      random: options.random ?? Math.random,
    };
    const prepared =
      name === 'redis'
        ? prepareRedis({ ...common, password: secrets.redisPassword })
        : await prepareMysql({ ...common, password: secrets.mysqlPassword, rootPassword: secrets.mysqlRootPassword });
    try {
      await prepared.process.start(options.signal);
      return { name, source: 'private', ...prepared };
    } catch (error) {
      const again = error instanceof StartFailedError && error.isPortTaken && attempt < STACK_LIMITS.portAttempts;
      if (!again) throw error;
    }
  }
}

/** An engine that somebody else runs: it only has to answer and to be of a kind that will do. */
async function attachEngine(
  name: EngineName,
  source: EngineSource,
  docker: DockerEngines | undefined,
): Promise<Engine> {
  const url = source.kind === 'given' ? source.url : docker?.urls[name];
  if (url === undefined || (source.kind !== 'given' && source.kind !== 'docker')) {
    throw new Error(`${name} has the source ${source.kind}, which is not a running engine`);
  }
  const fix = `Check ${source.kind === 'given' ? `FEST_${name.toUpperCase()}_URL` : 'the container'} and that it runs.`;
  await reachEngine(name, url, fix);
  return { name, url, source: source.kind };
}
