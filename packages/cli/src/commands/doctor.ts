import type { Context, GlobalOptions } from '../context.ts';
import { credentialsPath } from '../credentials.ts';
import { type Check, isHealthy, runCheck, runFixableCheck } from '../doctor/check.ts';
import { fileChecks } from '../doctor/file-checks.ts';
import { checkDisk, checkEngineSource, checkNode, checkPorts } from '../doctor/machine-checks.ts';
import { checkServer, checkSession, checkVersion } from '../doctor/server-checks.ts';
import { checkMysql, checkRedis, checkServerClock } from '../doctor/service-checks.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ENGINE_NAMES } from '../local-stack/engine-choice.ts';
import { gatherEngineFacts } from '../local-stack/engine-facts.ts';
import { stackPaths } from '../local-stack/paths.ts';
import { DEFAULT_PORT } from '../local-stack/stack.ts';
import { writeDocument } from '../render/document.ts';
import { createStyle } from '../render/style.ts';
import { loadSettings, type Settings } from '../settings.ts';

export interface DoctorOptions extends GlobalOptions {
  /** Put right what can do no harm. */
  readonly fix?: boolean;
}

/** `fest doctor`: looks at this machine, the local stack, and the servers the settings name. Changes nothing without `--fix`. */
export async function runDoctor(context: Context, options: DoctorOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const fixed: string[] = [];
  const checks = [
    ...(await checkMachine(context, settings)),
    ...(await checkFiles(context, settings, options.fix === true, fixed)),
    ...(await checkServices(context, settings)),
  ];
  const healthy = isHealthy(checks);
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.doctor/1', { healthy, checks: checks.map(documentOf), fixed });
  } else {
    for (const does of fixed) context.stderr.write(`Fixed: ${does}.\n`);
    context.stdout.write(renderChecks(checks, context.colour.stdout));
  }
  return healthy ? EXIT.done : EXIT.checkFailed;
}

/** What `--fix` would do is a sentence there, as everything else. */
function documentOf({ fix, ...check }: Check): object {
  return fix === undefined ? check : { ...check, fix: fix.does };
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
  ];
}

/** One after the other: a lock that is taken away changes what the next one sees. */
async function checkFiles(
  context: Context,
  { directory }: Settings,
  fix: boolean,
  fixed: string[],
): Promise<readonly Check[]> {
  const places = { paths: stackPaths(directory), credentials: credentialsPath(context.env) };
  const checks: Check[] = [];
  for (const definition of fileChecks(places)) {
    checks.push(await runFixableCheck(definition, { fix, onFixed: (does) => fixed.push(does) }));
  }
  return checks;
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
  const [serverChecks, sessionCheck, redisChecks, mysqlCheck] = await Promise.all([
    Promise.all(
      servers.map(async (server): Promise<readonly Check[]> => {
        const ready = await checkServer(server);
        const version = await runCheck('server version', () => checkVersion(server));
        return [...ready, version, await runCheck('server clock', () => checkServerClock(server, context.now))];
      }),
    ),
    isNamed ? runCheck('session', () => checkSession(context, settings)) : skipped('session', 'FEST_URL'),
    redisUrl === undefined ? [skipped('redis', 'FEST_REDIS_URL')] : checkRedis(redisUrl.value, context.now),
    mysqlUrl === undefined ? skipped('mysql', 'FEST_MYSQL_URL') : runCheck('mysql', () => checkMysql(mysqlUrl.value)),
  ]);
  const ofServers = isNamed ? serverChecks.flat() : [skipped('server', 'FEST_URL')];
  return [...ofServers, sessionCheck, ...redisChecks, mysqlCheck];
}

/** A line for each check, its remedy below. */
export function renderChecks(checks: readonly Check[], colour: boolean): string {
  const style = createStyle(colour);
  const paint = { ok: style.green, warn: style.yellow, fail: style.red, skip: style.dim };
  const width = Math.max(...checks.map(({ name }) => name.length));
  const below = (text: string): string => `${' '.repeat(width + 8)}${style.dim(`→ ${text}`)}`;
  const lines = checks.flatMap(({ name, status, detail, remedy, fix }) => [
    `${paint[status](status.padEnd(4))}  ${name.padEnd(width)}  ${detail}`,
    ...(remedy === undefined ? [] : [below(remedy)]),
    ...(fix === undefined ? [] : [below('fest doctor --fix does it: it can do no harm.')]),
  ]);
  return `${lines.join('\n')}\n`;
}
