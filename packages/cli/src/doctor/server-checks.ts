/** What an operator has to know of a server before anything is done there: alone by what it says of itself. */
import { API_PREFIX, pathOf, ROUTES, SERVICE_PATHS } from '@fest/server/contract/paths';
import type { Me } from '@fest/server/contract/schemas';
import type { Context } from '../context.ts';
import { findCredentials } from '../credentials.ts';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { isRecord } from '../private-files.ts';
import { printable } from '../render/printable.ts';
import { callApiAuthenticated } from '../session.ts';
import type { Settings } from '../settings.ts';
import type { Check, Finding } from './check.ts';

const REQUEST_TIMEOUT_MS = 3_000;
/** What the busiest sale writes in some ten seconds: more is not on its way any more but waits for something. */
const LAG_RECORDS_MAX = 10_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Whether it may be given buyers, and what it says of its stores, its log and its archive. */
export async function checkServer(baseUrl: string): Promise<readonly Check[]> {
  const answer = await ask(`${baseUrl}${SERVICE_PATHS.ready}`).catch((error: unknown) => error);
  if (!isAnswer(answer)) {
    const cause = answer instanceof Error && answer.cause !== undefined ? answer.cause : answer;
    const detail = `${baseUrl} does not answer (${messageOf(cause)})`;
    const remedy = 'Start it: fest up. Or look into its log, or correct --url, FEST_URL or the profile.';
    return [{ name: 'server', status: 'fail', detail, remedy }];
  }
  const { body } = answer;
  const state = isRecord(body) && typeof body.status === 'string' ? body.status : undefined;
  return [{ name: 'server', ...judgeReadiness(baseUrl, answer.status, state) }, ...judgeParts(body)];
}

function judgeReadiness(baseUrl: string, status: number, state: string | undefined): Finding {
  if (status === 200 && state !== 'degraded') return { status: 'ok', detail: `${baseUrl} is ready` };
  if (status === 200) {
    const remedy = 'Sales go on meanwhile; logins, check-ins and lists do not. See the lines below.';
    return { status: 'warn', detail: `${baseUrl} is degraded: it sells, and a store is away`, remedy };
  }
  return {
    status: 'fail',
    detail: `${baseUrl} answers ${status} to ${SERVICE_PATHS.ready}`,
    remedy: 'It is starting, draining, or misses an engine: see the lines below, and its log.',
  };
}

/** Nothing when a proxy has answered in its place. */
function judgeParts(body: unknown): readonly Check[] {
  if (!isRecord(body) || !isRecord(body.checks)) return [];
  const { checks, applierLag, workers } = body;
  const part = (name: string, isWell: unknown, words: { well: string; ill: string; remedy: string }): Check =>
    isWell === true
      ? { name, status: 'ok', detail: words.well }
      : { name, status: 'fail', detail: words.ill, remedy: words.remedy };
  return [
    part('server redis', checks.redis, {
      well: 'answers the server',
      ill: 'does not answer the server',
      remedy: 'Nothing is sold until it does. Look at Redis itself, and at the way to it.',
    }),
    part('server mysql', checks.mysql, {
      well: 'answers the server',
      ill: 'does not answer the server',
      remedy: 'Sales go on, and their orders are archived when it is back. Look at MySQL itself, and at the way to it.',
    }),
    part('server order log', checks.orderLog, {
      well: 'is open',
      ill: 'is not open',
      remedy: 'The server sells nothing. Its log says why; `fest log verify` looks at the files.',
    }),
    part('server accepting', checks.draining === false, {
      well: 'takes buyers',
      ill: 'is about to stop',
      remedy: 'It was told to. When it should not have been, start it again.',
    }),
    { name: 'server archive', ...judgeLag(applierLag) },
    ...(Array.isArray(workers) ? [{ name: 'server workers', ...judgeWorkers(workers) }] : []),
  ];
}

function judgeLag(lag: unknown): Finding {
  if (typeof lag !== 'number') return { status: 'skip', detail: 'the server does not say how far MySQL is behind' };
  const detail = `${lag} records of the order log are not in MySQL yet`;
  if (lag <= LAG_RECORDS_MAX) return { status: 'ok', detail };
  return {
    status: 'warn',
    detail,
    remedy: 'Nothing is lost. See whether MySQL is slow: `fest log ls`, `fest log failed`.',
  };
}

function judgeWorkers(workers: readonly unknown[]): Finding {
  const away = workers.filter(isRecord).filter(({ status }) => status !== 'ready');
  const detail = `${workers.length - away.length} of ${workers.length} are ready`;
  if (away.length === 0) return { status: 'ok', detail };
  const names = away.map(({ worker, status }) => `worker ${String(worker)}: ${printable(String(status))}`).join(', ');
  return {
    status: 'warn',
    detail: `${detail} (${names})`,
    remedy: 'They are started again by themselves; the log says why they ended.',
  };
}

/** By its own description: a server of an earlier release may lack what a command asks for. */
export async function checkVersion(baseUrl: string): Promise<Finding> {
  const answer = await ask(`${baseUrl}${SERVICE_PATHS.openApi}`).catch(() => undefined);
  const { info, paths } = isRecord(answer?.body) ? answer.body : {};
  if (!isRecord(info) || !isRecord(paths)) {
    return { status: 'skip', detail: `${baseUrl} does not say which API it has` };
  }
  const version = `API ${printable(String(info.version))}`;
  const missing = Object.values(ROUTES).filter((route) => paths[openApiPath(route)] === undefined);
  if (missing.length === 0) return { status: 'ok', detail: `${version}, with everything this fest asks for` };
  return {
    status: 'warn',
    detail: `${version}, without ${missing.join(', ')}`,
    remedy: 'The server is of another release than this fest: use the fest of its release for what needs those.',
  };
}

function openApiPath(route: string): string {
  return API_PREFIX + route.replace(/:(\w+)/g, '{$1}');
}

/** Whether the session still holds, and what its account may do. */
export async function checkSession(context: Context, settings: Settings): Promise<Finding> {
  const baseUrl = settings.url.value;
  const isOwn = settings.localState?.baseUrls.includes(baseUrl) === true;
  const login = `fest login${settings.environment === undefined ? ` --url ${baseUrl}` : ` --profile ${settings.environment.name}`}`;
  if (findCredentials(context.env, baseUrl) === undefined && !isOwn) {
    return { status: 'skip', detail: `not logged in at ${baseUrl}`, remedy: `Log in: ${login}` };
  }
  try {
    const me = (await callApiAuthenticated(context, settings, { method: 'GET', path: pathOf('me') })) as Me;
    return judgeAccount(me, login);
  } catch (error) {
    if (!(error instanceof FixableError)) throw error;
    const { what, why, exitCode } = error.details;
    const detail = why === undefined ? what : `${what}: ${why}`;
    // That the server is away or busy is told by other checks.
    if (exitCode !== EXIT.unauthorised) return { status: 'skip', detail };
    return { status: 'fail', detail, remedy: `Log in again: ${login}` };
  }
}

function judgeAccount({ email, roles }: Me, login: string): Finding {
  const detail = `${printable(email)}: ${roles.join(', ')}`;
  if (roles.includes('operator')) return { status: 'ok', detail };
  const remedy = `Opening, pausing and the like need the role operator: ${login}`;
  return { status: 'warn', detail, remedy };
}

async function ask(url: string): Promise<Answer> {
  const response = await fetch(url, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await response.text();
  return { status: response.status, body: parseJson(text) };
}

function isAnswer(value: unknown): value is Answer {
  return isRecord(value) && typeof value.status === 'number' && !(value instanceof Error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
