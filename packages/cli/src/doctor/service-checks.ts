import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { messageOf } from '../errors.ts';
import { findMysqlFault, probeMysql } from '../local-stack/probe-mysql.ts';
import { findRedisFault, probeRedis, type RedisFacts } from '../local-stack/probe-redis.ts';
import { redactUrl } from '../local-stack/reach-engine.ts';
import type { Check, Finding } from './check.ts';

const REQUEST_TIMEOUT_MS = 3_000;
/** Sales open by the servers' clocks, tokens and holds expire by them: more than this apart is noticed by buyers. */
const CLOCK_SKEW_MAX_MS = 1_000;

/** This machine's clock against the `Date` header of a server. The header has whole seconds. */
export async function checkServerClock(baseUrl: string, now: () => number): Promise<Finding> {
  const beforeMs = now();
  let response: Response;
  try {
    response = await fetch(`${baseUrl}${SERVICE_PATHS.live}`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    await response.arrayBuffer();
  } catch {
    return { status: 'skip', detail: `${baseUrl} does not answer` };
  }
  const header = response.headers.get('date');
  if (header === null) return { status: 'skip', detail: `${baseUrl} sends no Date header` };
  return judgeSkew(`${baseUrl}`, { beforeMs, afterMs: now() }, Date.parse(header), 1_000);
}

/**
 * @param asked when the question left and when the answer came
 * @param readMs what the other clock said
 * @param granularityMs how much later than it says the other clock may have been
 */
export function judgeSkew(
  name: string,
  asked: { readonly beforeMs: number; readonly afterMs: number },
  readMs: number,
  granularityMs: number,
): Finding {
  const earliest = readMs;
  const latest = readMs + granularityMs;
  // The other clock was read somewhere between question and answer: only what lies outside is surely skew.
  const skewMs = earliest > asked.afterMs ? earliest - asked.afterMs : Math.max(0, asked.beforeMs - latest);
  const detail = `${name} is ${skewMs < 1 ? 'not measurably' : `at least ${Math.round(skewMs)} ms`} apart from this machine`;
  if (skewMs <= CLOCK_SKEW_MAX_MS) return { status: 'ok', detail };
  return { status: 'fail', detail, remedy: 'Set the clocks by NTP (timedatectl set-ntp true) on both machines.' };
}

/** What Redis says about itself; the facts are for the checks that follow. */
export async function checkRedis(url: string, now: () => number): Promise<readonly Check[]> {
  const names = ['redis', 'redis policy', 'redis clock'] as const;
  const beforeMs = now();
  let facts: RedisFacts;
  try {
    facts = await probeRedis(url);
  } catch (error) {
    const detail = `${redactUrl(url)} does not answer (${messageOf(error)})`;
    const remedy = 'Start it (fest up starts its own), or correct FEST_REDIS_URL.';
    const [name, ...others] = names;
    const skipped = others.map((other): Check => ({ name: other, status: 'skip', detail: 'Redis does not answer' }));
    return [{ name, status: 'fail', detail, remedy }, ...skipped];
  }
  const afterMs = now();
  const fault = findRedisFault(facts);
  const isOld = fault !== undefined && facts.maxmemoryPolicy === 'noeviction';
  const isEvicting = facts.maxmemoryPolicy !== 'noeviction';
  return [
    {
      name: names[0],
      status: isOld ? 'fail' : 'ok',
      detail: `version ${facts.version} at ${redactUrl(url)}`,
      ...(isOld ? { remedy: fault.fix } : {}),
    },
    {
      name: names[1],
      status: isEvicting ? 'fail' : 'ok',
      detail: `maxmemory-policy is ${facts.maxmemoryPolicy}`,
      ...(isEvicting && fault !== undefined ? { remedy: fault.fix } : {}),
    },
    { name: names[2], ...judgeSkew('Redis', { beforeMs, afterMs }, facts.timeMs, 0) },
  ];
}

export async function checkMysql(url: string): Promise<Finding> {
  try {
    const facts = await probeMysql(url);
    const fault = findMysqlFault(facts);
    const detail = `version ${facts.version} at ${redactUrl(url)}`;
    return fault === undefined ? { status: 'ok', detail } : { status: 'fail', detail: fault.why, remedy: fault.fix };
  } catch (error) {
    const detail = `${redactUrl(url)} does not answer (${messageOf(error)})`;
    return { status: 'fail', detail, remedy: 'Start it (fest up starts its own), or correct FEST_MYSQL_URL.' };
  }
}
