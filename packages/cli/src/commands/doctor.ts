import type { Context, GlobalOptions } from '../context.ts';
import { type Check, isHealthy, runCheck } from '../doctor/check.ts';
import { checkDisk, checkEngineSource, checkNode, checkPorts } from '../doctor/machine-checks.ts';
import { checkMysql, checkRedis, checkServer, checkServerClock } from '../doctor/service-checks.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ENGINE_NAMES } from '../local-stack/engine-choice.ts';
import { gatherEngineFacts } from '../local-stack/engine-facts.ts';
import { findLockOwner } from '../local-stack/lock.ts';
import { stackPaths } from '../local-stack/paths.ts';
import { DEFAULT_PORT } from '../local-stack/stack.ts';
import { writeDocument } from '../render/document.ts';
import { createStyle } from '../render/style.ts';
import { loadSettings, type Settings } from '../settings.ts';

/** `fest doctor`: looks at this machine, the local stack, and the servers the settings name. Changes nothing. */
export async function runDoctor(context: Context, options: GlobalOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const checks = [...(await checkMachine(context, settings)), ...(await checkServices(context, settings))];
  const healthy = isHealthy(checks);
  if (options.json === true) writeDocument(context.stdout, 'fest.doctor/1', { healthy, checks });
  else context.stdout.write(renderChecks(checks, context.colour.stdout));
  return healthy ? EXIT.done : EXIT.checkFailed;
}

async function checkMachine(context: Context, settings: Settings): Promise<readonly Check[]> {
  const { directory, port, servers, localState } = settings;
  const facts = await gatherEngineFacts({ env: context.env, install: true });
  const own = localState?.servers.map((server) => server.port) ?? [];
  return [
    await runCheck('node', async () => checkNode(process.versions.node)),
    await runCheck('disk', () => checkDisk(directory)),
    ...(await Promise.all(
      ENGINE_NAMES.map((engine) => runCheck(`${engine} source`, async () => checkEngineSource(engine, facts))),
    )),
    await runCheck('ports', () =>
      checkPorts({
        port: port?.value ?? DEFAULT_PORT,
        explicit: port !== undefined,
        count: servers.value,
        own,
      }),
    ),
    await runCheck('local stack', async () => {
      const paths = stackPaths(directory);
      const owner = findLockOwner(paths.lock);
      if (owner !== undefined && localState !== undefined) {
        return { status: 'ok', detail: `runs in ${directory} as process ${owner.pid} (${owner.purpose})` };
      }
      if (owner !== undefined) {
        return {
          status: 'warn',
          detail: `is starting or stopping (process ${owner.pid})`,
          remedy: 'Ask again in a moment.',
        };
      }
      if (localState !== undefined) {
        return {
          status: 'fail',
          detail: `${paths.localState} is there, but process ${localState.pid} that wrote it is gone`,
          remedy: 'Start it again: `fest up` clears away what was left.',
        };
      }
      return { status: 'skip', detail: `none runs in ${directory}`, remedy: 'Start one: fest up' };
    }),
  ];
}

async function checkServices(context: Context, settings: Settings): Promise<readonly Check[]> {
  const { url, redisUrl, mysqlUrl, localState } = settings;
  // Without a stack the default address is a guess, and that nobody is there says nothing.
  const isNamed = url.source !== 'default';
  const servers = url.source === 'local stack' ? (localState?.baseUrls ?? []) : isNamed ? [url.value] : [];
  const skipped = (name: string, variable: string): Check => ({
    name,
    status: 'skip',
    detail: `no stack runs here and ${variable} is not set`,
  });
  const [serverChecks, redisChecks, mysqlCheck] = await Promise.all([
    Promise.all(
      servers.map(async (server): Promise<readonly Check[]> => {
        const ready = await runCheck('server', () => checkServer(server));
        return [ready, await runCheck('server clock', () => checkServerClock(server, context.now))];
      }),
    ),
    redisUrl === undefined ? [skipped('redis', 'FEST_REDIS_URL')] : checkRedis(redisUrl.value, context.now),
    mysqlUrl === undefined ? skipped('mysql', 'FEST_MYSQL_URL') : runCheck('mysql', () => checkMysql(mysqlUrl.value)),
  ]);
  return [...(isNamed ? serverChecks.flat() : [skipped('server', 'FEST_URL')]), ...redisChecks, mysqlCheck];
}

/** A line for each check, its remedy below. */
export function renderChecks(checks: readonly Check[], colour: boolean): string {
  const style = createStyle(colour);
  const paint = { ok: style.green, warn: style.yellow, fail: style.red, skip: style.dim };
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, detail, remedy }) => [
    `${paint[status](status.padEnd(4))}  ${name.padEnd(width)}  ${detail}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}${style.dim(`→ ${remedy}`)}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
