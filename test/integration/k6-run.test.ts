/** k6 itself, run as `fest bench` runs it, against a server that counts. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchPlan } from '@fest/loadtest/bench/plan';
import { environmentFor, type K6Program } from '@fest/loadtest/k6-engine/k6-program';
import { type K6Run, type LoadRow, runK6 } from '@fest/loadtest/k6-engine/run-k6';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { k6Program, withK6 } from '../support/k6.ts';

/** Requests by path. */
let seen: Map<string, number>;
let server: Server;
let baseUrl: string;
let folder: string;

beforeEach(async () => {
  seen = new Map();
  server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.set(path, (seen.get(path) ?? 0) + 1);
    answer(path, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'fest-k6-'));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Every fourth hold is refused. */
function answer(path: string, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.statusCode = path === '/hold' && (seen.get(path) ?? 0) % 4 === 0 ? 409 : 200;
  response.end('{}');
}

const PRELUDE = `
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
const plan = JSON.parse(open(__ENV.FEST_BENCH_PLAN));
const buyers = JSON.parse(open(__ENV.FEST_BENCH_PLAN.replace('plan.json', plan.files.buyers)));
const base = plan.baseUrls[0];
const ask = (name) => http.get(base + '/' + name, { tags: { name } });
const counter = (name) => new Counter(name);
`;

const SHOP = `${PRELUDE}
const purchases = counter('purchases'), tickets = counter('tickets_bought'), refused = counter('expected_refusals');
const visits = counter('visits'), oversold = counter('tickets_oversold'), tries = counter('attack_tries');
const unexpected = counter('unexpected_answers');
const admission = new Trend('time_to_admission', true);
export const options = {
  scenarios: { shop: { executor: 'shared-iterations', vus: 4, iterations: 40, maxDuration: '30s' } },
  thresholds: {
    'http_req_duration{name:poll}': ['p(95)<900000', 'p(99)<0.0001'],
    'http_req_duration{name:leave}': ['p(95)<1'],
    tickets_oversold: ['count==0'],
  },
};
export function setup() { http.get(base + '/setup', { tags: { name: 'setup' } }); return { loaded: buyers.length }; }
export default function (data) {
  if (data.loaded !== 2) throw new Error('buyers are not read');
  ask('join');
  admission.add(1500);
  ask('poll');
  const hold = ask('hold');
  sleep(0.1);
  if (hold.status === 409) {
    refused.add(1, { name: 'hold', code: 'sold_out' });
    visits.add(1, { outcome: 'soldOut' });
    return;
  }
  purchases.add(1);
  tickets.add(2);
  tries.add(1, { attack: 'replay' });
  visits.add(1, { outcome: 'bought' });
}
export function teardown() {
  ask('sale');
  unexpected.add(1, { name: 'sale', status: '200', code: '-' });
}
`;

const ENDLESS = `${PRELUDE}
export const options = { scenarios: { on: { executor: 'constant-vus', vus: 2, duration: '5m', gracefulStop: '0s' } } };
export default function () { ask('poll'); sleep(0.05); }
export function teardown() { http.get(base + '/teardown', { tags: { name: 'setup' } }); }
`;

interface Outcome {
  readonly run: K6Run;
  readonly rows: readonly LoadRow[];
  readonly pids: readonly number[];
}

function planFor(): BenchPlan {
  return {
    format: 'fest.bench-plan/1',
    scenario: 'funnel',
    profile: 'smoke',
    baseUrls: [baseUrl],
    festivalId: 1,
    saleId: 2,
    otherSaleId: 3,
    capacity: 100,
    limitPerBuyer: 4,
    load: { kind: 'closed', users: 4, seconds: 5 },
    behaviour: { neverHoldShare: 0, neverPayShare: 0 },
    seed: 'test',
    files: { buyers: 'buyers.json' },
    operatorToken: 'secret-operator-token',
    thresholdFactor: 1,
  };
}

async function run(
  text: string,
  options: { readonly k6?: K6Program; readonly stopWhen?: () => boolean } = {},
): Promise<Outcome> {
  const script = join(folder, 'script', 'main.js');
  mkdirSync(join(folder, 'script'), { recursive: true });
  writeFileSync(script, text);
  const result = join(folder, 'result');
  mkdirSync(result, { recursive: true });
  writeFileSync(join(result, 'buyers.json'), '["one", "two"]');
  const stop = new AbortController();
  const rows: LoadRow[] = [];
  const pids: number[] = [];
  const looking = setInterval(() => options.stopWhen?.() && stop.abort(), 50);
  try {
    const finished = await runK6({
      k6: options.k6 ?? k6Program(),
      script,
      plan: planFor(),
      folder: result,
      signal: stop.signal,
      onStarted: (pid) => pids.push(pid),
      onSecond: (row) => rows.push(row),
    });
    return { run: finished, rows, pids };
  } finally {
    clearInterval(looking);
  }
}

const total = (rows: readonly LoadRow[], of: 'requests' | 'purchases' | 'refused'): number =>
  rows.reduce((sum, row) => sum + row[of], 0);

withK6('a load test with k6', () => {
  it('counts what the server saw, by endpoint and second by second', async () => {
    const { run: result, rows, pids } = await run(SHOP);
    expect(result.faults).toEqual([]);
    expect(Object.fromEntries(seen)).toEqual({ '/setup': 1, '/join': 40, '/poll': 40, '/hold': 40, '/sale': 1 });
    expect(result.totals).toMatchObject({
      requests: 120,
      iterations: 40,
      dropped: 0,
      purchases: 30,
      tickets: 60,
      oversold: 0,
      // Found by teardown, which is none of the load.
      unexpected: 1,
      refused: { sold_out: 10 },
      outcomes: { bought: 30, soldOut: 10 },
    });
    expect(result.totals.latency.count).toBe(120);
    expect(result.totals.iteration.count).toBe(40);
    // A user keeps its connection from one visit to the next.
    expect(result.totals.connecting?.count).toBeGreaterThanOrEqual(4);
    expect(result.totals.connecting?.count).toBeLessThan(40);
    expect(result.totals.iteration.p50Ms).toBeGreaterThanOrEqual(100);
    expect(result.totals.timeToAdmission).toMatchObject({ count: 40, p50Ms: expect.closeTo(1_500, -1) });
    expect(
      result.endpoints.map(({ endpoint, statuses, refused, unexpected }) => ({
        endpoint,
        statuses,
        refused,
        unexpected,
      })),
    ).toEqual([
      { endpoint: 'sale', statuses: {}, refused: {}, unexpected: 1 },
      { endpoint: 'join', statuses: { 200: 40 }, refused: {}, unexpected: 0 },
      { endpoint: 'poll', statuses: { 200: 40 }, refused: {}, unexpected: 0 },
      { endpoint: 'hold', statuses: { 200: 30, 409: 10 }, refused: { sold_out: 10 }, unexpected: 0 },
    ]);
    expect(result.attacks).toEqual([{ attack: 'replay', tries: 30, successes: 0, undecided: 0 }]);
    expect([total(result.rows, 'requests'), total(result.rows, 'purchases'), total(result.rows, 'refused')]).toEqual([
      120, 30, 10,
    ]);
    expect(rows.slice(0, result.rows.length)).toEqual(result.rows);
    expect(Math.max(...result.rows.map(({ users }) => users))).toBe(4);
    expect(result.endedAtMs - result.startedAtMs).toBeGreaterThan(900);
    expect(pids).toHaveLength(1);
  });

  it('says which thresholds were kept, and that one was not is no fault of k6', async () => {
    const { run: result } = await run(SHOP);
    expect(result.exitCode).toBe(99);
    expect(result.interrupted).toBe(false);
    expect(result.thresholds).toEqual([
      { metric: 'http_req_duration{name:leave}', expression: 'p(95)<1', passed: true },
      { metric: 'http_req_duration{name:poll}', expression: 'p(95)<900000', passed: true },
      { metric: 'http_req_duration{name:poll}', expression: 'p(99)<0.0001', passed: false },
      { metric: 'tickets_oversold', expression: 'count==0', passed: true },
    ]);
  });

  it('leaves a plan without the token, and a log, for nobody else to read', async () => {
    await run(SHOP);
    const result = join(folder, 'result');
    const plan = readFileSync(join(result, 'plan.json'), 'utf8');
    expect(JSON.parse(plan)).toEqual({ ...planFor(), operatorToken: '' });
    expect(statSync(join(result, 'plan.json')).mode & 0o077).toBe(0);
    expect(readFileSync(join(result, 'k6.log'), 'utf8')).toContain('tickets_oversold');
    expect(existsSync(join(result, 'k6-summary.json'))).toBe(false);
  });

  it('that is stopped has what was seen until then, after teardown', async () => {
    const { run: result, rows } = await run(ENDLESS, { stopWhen: () => (seen.get('/poll') ?? 0) > 60 });
    expect(result).toMatchObject({ interrupted: true, exitCode: 105, faults: [] });
    expect(seen.get('/teardown')).toBe(1);
    const polls = seen.get('/poll') ?? 0;
    // What was on its way when the signal came is cut off.
    expect(result.totals.requests).toBeGreaterThanOrEqual(polls - 2);
    expect(result.totals.requests).toBeLessThanOrEqual(polls);
    expect(total(result.rows, 'requests')).toBe(result.totals.requests);
    expect(rows.length).toBeGreaterThan(0);
  });

  it.each([0, 50, 200])('that is stopped %i ms after its start, listening or not, is no fault', async (afterMs) => {
    const beganAt = performance.now();
    const { run: result } = await run(ENDLESS, { stopWhen: () => performance.now() - beganAt >= afterMs });
    expect(result).toMatchObject({ interrupted: true, faults: [] });
  });

  it('whose script throws before it begins is a fault with the reason', async () => {
    const { run: result } = await run(
      `${PRELUDE}\nexport function setup() { throw new Error('no sale to buy from'); }\nexport default function () {}`,
    );
    expect(result.exitCode).toBe(107);
    expect(result.faults).toEqual([{ code: 'k6', message: expect.stringContaining('no sale to buy from') }]);
    expect(result.totals.requests).toBe(0);
  });

  it('whose script throws in visits is a fault, although k6 forgives it', async () => {
    const text = `${PRELUDE}
export const options = { scenarios: { on: { executor: 'shared-iterations', vus: 1, iterations: 3 } } };
export default function () { ask('poll'); null.price; }`;
    const { run: result } = await run(text);
    expect(result.exitCode).toBe(0);
    expect(result.faults).toEqual([
      { code: 'k6', message: expect.stringMatching(/^the script threw 3 times: TypeError: .*price/) },
    ]);
    expect(result.totals).toMatchObject({ requests: 3, iterations: 3 });
  });

  it('whose script is not one is a fault with the reason', async () => {
    const { run: result } = await run('export default function ( {');
    expect(result.faults).toEqual([{ code: 'k6', message: expect.stringContaining('Unexpected end of input') }]);
  });

  it('that asks for something without a known name says so', async () => {
    const { run: result } = await run(`${PRELUDE}\nexport default function () { http.get(base + '/poll'); }`);
    expect(result.faults).toEqual([
      {
        code: 'k6',
        message: `1 requests are of no known endpoint, such as ${baseUrl}/poll: the script has to name them`,
      },
    ]);
  });

  it('counts what has no answer, and takes its time for no latency', async () => {
    const text = `${PRELUDE}\nexport default function () { http.get('http://127.0.0.1:1/', { tags: { name: 'poll' } }); }`;
    const { run: result } = await run(text);
    expect(result.endpoints).toMatchObject([{ endpoint: 'poll', statuses: { 0: 1 }, count: 0, p50Ms: null }]);
    expect(result.totals).toMatchObject({ requests: 1, latency: { count: 0 } });
  });

  it('goes by the plan, whatever the environment says', async () => {
    // Were one of them to reach k6, there would be one visit, or another file.
    const hostile = { ...process.env, K6_ITERATIONS: '1', K6_VUS: '1', K6_OUT: 'csv=elsewhere.csv' };
    const { run: result } = await run(SHOP, {
      k6: { ...k6Program(), environment: environmentFor('binary', hostile) } as K6Program,
    });
    expect(result.totals.iterations).toBe(40);
    expect(existsSync(join(folder, 'result', 'elsewhere.csv'))).toBe(false);
  });
});

/** What the engine does with these arguments, without one: the same paths, and the machine's network. */
function fakeEngine(): K6Program {
  const path = join(folder, 'docker');
  writeFileSync(
    path,
    `#!/bin/sh
echo "$@" >>'${folder}/calls'
case "$1" in
  inspect) cat '${folder}/pid'; exit ;;
  kill) kill -9 "$(cat '${folder}/pid')"; exit ;;
esac
while [ "$1" != image ]; do
  [ "$1" = --env ] && export "$2"
  shift
done
shift
echo $$ >'${folder}/pid'
exec '${k6Program().path}' "$@"
`,
    { mode: 0o755 },
  );
  const { PATH = '' } = process.env;
  return {
    kind: 'container',
    engine: 'docker',
    image: 'image',
    path,
    version: 'v2.2.0',
    origin: 'container',
    environment: { PATH },
  };
}

withK6('a load test with k6 in a container', () => {
  it('reads the same samples, and sees the folders it needs and no others', async () => {
    const { run: result, pids } = await run(SHOP, { k6: fakeEngine() });
    expect(result.faults).toEqual([]);
    expect(result.totals).toMatchObject({ requests: 120, iterations: 40, purchases: 30 });
    expect(pids).toEqual([Number(readFileSync(join(folder, 'pid'), 'utf8'))]);
    const [call = ''] = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
    expect(call).toContain('run --rm --name fest-k6-');
    expect(call).toContain('--network host');
    expect([...call.matchAll(/--volume (\S+)/g)].map(([, volume]) => volume)).toEqual([
      `${folder}/script:${folder}/script:ro`,
      `${folder}/result:${folder}/result`,
    ]);
    expect(call).toContain('--env K6_NO_USAGE_REPORT=true');
  });

  it('is stopped by the signal, too', async () => {
    const { run: result } = await run(ENDLESS, { k6: fakeEngine(), stopWhen: () => (seen.get('/poll') ?? 0) > 20 });
    expect(result).toMatchObject({ interrupted: true, exitCode: 105, faults: [] });
    expect(seen.get('/teardown')).toBe(1);
  });
});
