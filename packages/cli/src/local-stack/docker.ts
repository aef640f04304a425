import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { EngineName } from './engine-choice.ts';
import type { Environment } from './engine-facts.ts';
import type { StackEventListener } from './events.ts';
import { stopCompose } from './leftovers.ts';
import { STACK_LIMITS } from './limits.ts';
import { DATABASE } from './mysql-engine.ts';
import { findFreePort, LOOPBACK } from './ports.ts';
import { withMysql } from './probe-mysql.ts';
import type { RecordedCompose } from './process-records.ts';
import type { LocalSecrets } from './secrets.ts';
import type { Supervision } from './supervision.ts';

export interface DockerEngines {
  readonly urls: Readonly<Record<EngineName, string>>;
  stop(): Promise<void>;
}

/** The name of a folder's containers and volumes: the same at each start, different for each folder. */
export function composeProject(directory: string): string {
  return `fest-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`;
}

/** Starts engines as containers of `infra/local/compose.yaml`; their data stays in volumes of the folder's project. */
export async function startDockerEngines(options: {
  readonly docker: string;
  readonly engines: readonly EngineName[];
  readonly secrets: LocalSecrets;
  readonly supervision: Supervision;
  readonly env: Environment;
  readonly emit: StackEventListener;
}): Promise<DockerEngines> {
  const { docker, engines, secrets, supervision, emit } = options;
  const [redisPort, mysqlPort] = [await findFreePort(), await findFreePort()];
  const compose: RecordedCompose = {
    docker,
    project: composeProject(supervision.paths.directory),
    file: fileURLToPath(new URL('../../../../infra/local/compose.yaml', import.meta.url)),
    environment: {
      ...dockerEnvironment(options.env),
      FEST_LOCAL_REDIS_PORT: String(redisPort),
      FEST_LOCAL_REDIS_PASSWORD: secrets.redisPassword,
      FEST_LOCAL_MYSQL_PORT: String(mysqlPort),
      FEST_LOCAL_MYSQL_PASSWORD: secrets.mysqlPassword,
      FEST_LOCAL_MYSQL_ROOT_PASSWORD: secrets.mysqlRootPassword,
    },
  };
  emit({
    type: 'progress',
    message: `Starting ${engines.join(' and ')} in Docker (the first time it pulls the images).`,
  });
  supervision.recordCompose(compose);
  try {
    await promisify(execFile)(
      docker,
      ['compose', '-p', compose.project, '-f', compose.file, 'up', '-d', '--wait', ...engines],
      {
        env: compose.environment,
        timeout: STACK_LIMITS.dockerStartTimeoutMs,
      },
    );
    const rootUrl = `mysql://root:${secrets.mysqlRootPassword}@${LOOPBACK}:${mysqlPort}/${DATABASE}`;
    // Tests make databases of their own; the image grants its user only the first.
    if (engines.includes('mysql')) {
      await withMysql(rootUrl, (query) => query(`GRANT ALL PRIVILEGES ON \`${DATABASE}\\_%\`.* TO 'fest'@'%'`));
    }
  } catch (error) {
    await stopCompose(compose).catch(() => {});
    supervision.recordCompose(undefined);
    throw new FixableError({
      what: 'docker compose could not start the engines',
      why: messageOf(error),
      fix: `Try it by hand: docker compose -p ${compose.project} -f ${compose.file} up ${engines.join(' ')}`,
      exitCode: EXIT.unreachable,
      cause: error,
    });
  }
  return {
    urls: {
      redis: `redis://default:${secrets.redisPassword}@${LOOPBACK}:${redisPort}`,
      mysql: `mysql://fest:${secrets.mysqlPassword}@${LOOPBACK}:${mysqlPort}/${DATABASE}`,
    },
    async stop() {
      await stopCompose(compose);
      supervision.recordCompose(undefined);
    },
  };
}

/** What the docker client needs of the surroundings. It is recorded on disk, so nothing else goes along. */
function dockerEnvironment(env: Environment): Readonly<Record<string, string>> {
  const names = ['PATH', 'HOME', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'XDG_RUNTIME_DIR'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
