import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { credentialsPath, findCredentials } from '../../credentials.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { redactUrl } from '../../local-stack/reach-engine.ts';
import { writeDocument } from '../../render/document.ts';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { formatTime } from '../../render/values.ts';
import { CONFIG_FILE, loadSettings, type SettingFlags, type Settings } from '../../settings.ts';
import { listServerVariables, type ServerVariable } from './server-variables.ts';

interface ShownSetting {
  readonly name: string;
  readonly value: string | number | null;
  /** Where it comes from; `none`: it is not set. */
  readonly source: string;
}

/** `fest config show`: effective values and where they come from. Secrets are never shown. */
export async function runConfigShow(context: Context, options: SettingFlags): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const shown = listSettings(context, options, settings);
  const server = listServerVariables(context, settings);
  const session = findCredentials(context.env, settings.url.value);
  const account = session && {
    email: session.email,
    accessUntil: new Date(session.expiresAtMs).toISOString(),
    renewable: session.refreshToken !== '',
  };
  if (options.json === true) {
    const { environment = null } = settings;
    const files = { configuration: join(settings.directory, CONFIG_FILE), credentials: credentialsPath(context.env) };
    const body = { environment, settings: shown, session: account ?? null, server: server ?? null, files };
    writeDocument(context.stdout, 'fest.config/1', body);
    return EXIT.done;
  }
  const { stdout, colour } = context;
  stdout.write(renderSettings(shown, colour.stdout));
  stdout.write(`\n${describeSession(context, settings, account)}\n`);
  if (server !== undefined) stdout.write(`\n${renderServer(server, colour.stdout)}`);
  return EXIT.done;
}

function listSettings(context: Context, flags: SettingFlags, settings: Settings): readonly ShownSetting[] {
  const { directory, environment, url, port, servers, redisUrl, mysqlUrl, email } = settings;
  const text = environment === undefined ? null : `${environment.name}${environment.production ? ' (production)' : ''}`;
  const given = (flag: unknown, variable: string, otherwise: string): string => {
    if (flag !== undefined) return 'flag';
    return context.env[variable] ? 'environment' : otherwise;
  };
  return [
    { name: 'dir', value: directory, source: given(flags.dir, 'FEST_DIR', 'default') },
    { name: 'profile', value: text, source: given(flags.profile, 'FEST_PROFILE', 'none') },
    { name: 'url', value: url.value, source: url.source },
    { name: 'port', value: port?.value ?? null, source: port?.source ?? 'none' },
    { name: 'servers', value: servers.value, source: servers.source },
    {
      name: 'redisUrl',
      value: redisUrl === undefined ? null : redactUrl(redisUrl.value),
      source: redisUrl?.source ?? 'none',
    },
    {
      name: 'mysqlUrl',
      value: mysqlUrl === undefined ? null : redactUrl(mysqlUrl.value),
      source: mysqlUrl?.source ?? 'none',
    },
    { name: 'email', value: email?.value ?? null, source: email?.source ?? 'none' },
  ];
}

function renderSettings(shown: readonly ShownSetting[], colour: boolean): string {
  const rows = shown.map(({ name, value, source }) => [name, value === null ? '–' : printable(String(value)), source]);
  return renderTable([{ title: 'setting' }, { title: 'value' }, { title: 'from' }], rows, colour);
}

interface ShownSession {
  readonly email: string;
  readonly accessUntil: string;
  readonly renewable: boolean;
}

function describeSession(context: Context, settings: Settings, session: ShownSession | undefined): string {
  const { url, localState } = settings;
  if (session !== undefined) {
    const until = formatTime(session.accessUntil, context.now(), context.stdout.isTTY);
    const renewed = session.renewable ? 'renewed by itself' : 'not renewed: log in again then';
    return `Logged in at ${url.value} as ${printable(session.email)}; the token ends ${until} (${renewed}).`;
  }
  if (localState?.baseUrls.includes(url.value) === true)
    return 'Not logged in: the accounts of the local stack are used.';
  return `Not logged in at ${url.value}: fest login`;
}

function renderServer(server: readonly ServerVariable[], colour: boolean): string {
  const { bold } = createStyle(colour);
  const rows = server.map(({ name, value, source, fault }) => [
    name,
    fault === undefined ? printable(typeof value === 'object' ? JSON.stringify(value) : String(value)) : '–',
    fault === undefined ? source : `${source}: ${fault}`,
  ]);
  const title = bold('A server that is started here now reads:');
  return `${title}\n${renderTable([{ title: 'variable' }, { title: 'value' }, { title: 'from' }], rows, colour)}`;
}
