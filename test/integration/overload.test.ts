/** A flood in front of a sale: who is refused, who is served, and how soon all is as before. The server is a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Flood } from '../support/flood.ts';
import { integration } from '../support/integration.ts';
import { KeptClient } from '../support/kept-client.ts';
import { type ServerProcesses, startServerProcesses } from '../support/server-processes.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';
import { until } from '../support/visitor.ts';

/** Connections of each kind, with so many requests at once on each: more work than the loop does in a second. */
const CONNECTIONS = 60;
const PIPELINED = 64;
const FLOOD_MS = 6_000;
/** Until the shedder has seen the flood. */
const ONSET_MS = 2_000;
const QUEUE_NUMBERS = 20_000;

let fest: TestApp;
let processes: ServerProcesses;
let baseUrl: string;

beforeAll(async () => {
  // This one only holds what the other one needs; its ticker would be one more thing that takes time.
  fest = await buildTestApp({ started: false });
  // The last buyer's card is not to be declined by chance.
  processes = await startServerProcesses(fest, 1, { FEST_GATEWAY_DECLINE_RATE: '0' });
  baseUrl = processes.servers[0]?.baseUrl ?? '';
});
afterAll(async () => {
  await processes?.close();
  await fest?.close();
});

interface Told {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly tookMs: number;
}

/** Somebody on a connection of their own, kept since before the flood, as a load balancer keeps them. */
class Caller {
  readonly #client = new KeptClient(baseUrl);

  async ask(method: string, path: string, headers: Record<string, string>, body?: object): Promise<Told> {
    const beganMs = performance.now();
    const answer = await this.#client.ask<Record<string, unknown>>(`/api/v1${path}`, {
      method,
      headers,
      withinMs: 60_000,
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, body: answer.body, tookMs: performance.now() - beganMs };
  }

  close(): void {
    this.#client.close();
  }
}

interface Admitted {
  readonly caller: Caller;
  readonly headers: Readonly<Record<string, string>>;
}

async function admit(saleId: number, { token }: TestBuyer): Promise<Admitted> {
  const authorization = `Bearer ${token}`;
  const caller = new Caller();
  const joined = await caller.ask('POST', `/sales/${saleId}/queue`, { authorization });
  const headers = { authorization, 'queue-token': String(joined.body.queueToken) };
  await until(
    () => caller.ask('GET', `/sales/${saleId}/queue`, headers),
    ({ body }) => body.admitted === true,
  );
  return { caller, headers };
}

/** Holds, pays, asks until the order is durable: every answer on the way. */
async function buyNow(saleId: number, { caller, headers }: Admitted): Promise<readonly Told[]> {
  const hold = await caller.ask('POST', `/sales/${saleId}/holds`, headers, { quantity: 1 });
  const payment = await caller.ask('POST', `/holds/${hold.body.holdId}/payments`, headers, { method: 'card' });
  const answers = [hold, payment];
  for (;;) {
    const outcome = await caller.ask('GET', `/payments/${payment.body.paymentId}`, headers);
    answers.push(outcome);
    if (outcome.body.status !== 'pending' || outcome.status !== 200) return answers;
    await sleep(100);
  }
}

async function readMetric(name: string): Promise<number> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

integration('a flood', () => {
  it('is refused from the least important on, while those inside hold and pay, and all is as before afterwards', async () => {
    const sale = await fest.createSale({ capacity: 1_000 });
    const buyers = await Promise.all(Array.from({ length: 40 }, () => fest.createAccount()));
    const admitted = await Promise.all(buyers.map((buyer) => admit(sale.id, buyer)));
    const calm = await Promise.all(admitted.slice(0, 3).map((buyer) => buyNow(sale.id, buyer)));
    expect(
      calm
        .flat()
        .map(({ status }) => status)
        .filter((status) => status > 202),
    ).toEqual([]);

    const onlooker = new Caller();
    const { epoch } = (await onlooker.ask('GET', `/sales/${sale.id}/state`, {})).body as { epoch: number };
    const visitors = Array.from({ length: QUEUE_NUMBERS }, (_, index) => 1_000_000 + index);
    const tokens = visitors.slice(0, 500).map((id) => fest.tokenFor(id, ['buyer']));
    const polls = visitors.map((number) =>
      fest.core.queueTokens.mint({ saleId: sale.id, accountId: number, number, epoch }),
    );
    const path = `/api/v1/sales/${sale.id}/queue`;
    const flood = new Flood(Number(new URL(baseUrl).port), CONNECTIONS, PIPELINED, {
      browse: () => 'GET /api/v1/festivals HTTP/1.1\r\nHost: fest\r\n\r\n',
      join: (index) =>
        `POST ${path} HTTP/1.1\r\nHost: fest\r\nAuthorization: Bearer ${tokens[index % tokens.length]}\r\nContent-Length: 0\r\n\r\n`,
      poll: (index) => `GET ${path} HTTP/1.1\r\nHost: fest\r\nQueue-Token: ${polls[index % polls.length]}\r\n\r\n`,
    });
    await flood.start();
    await sleep(ONSET_MS);
    const beforeSeen = flood.counts();
    const bought: Told[] = [];
    const endsAtMs = performance.now() + FLOOD_MS;
    for (let next = 3; next < admitted.length && performance.now() < endsAtMs; next += 2) {
      const pair = admitted.slice(next, next + 2);
      bought.push(...(await Promise.all(pair.map((buyer) => buyNow(sale.id, buyer)))).flat());
    }
    const [seen, spread] = [flood.counts(), flood.retryAfters()];
    const health = await fetch(`${baseUrl}/health/live`);
    flood.stop();

    // Whoever is inside is served, always; and each answer comes within a bounded time.
    expect(bought.length).toBeGreaterThan(4);
    expect(bought.map(({ status }) => status).filter((status) => status > 202)).toEqual([]);
    expect(Math.max(...bought.map(({ tookMs }) => tookMs))).toBeLessThan(10_000);
    expect(health.status).toBe(200);
    // The least important first: nearly nothing of the browsing is served, and never more of one class than of the next.
    const share = (kind: 'browse' | 'join' | 'poll'): number => {
      const refused = (seen[kind][503] ?? 0) - (beforeSeen[kind][503] ?? 0);
      const all = Object.values(seen[kind]).reduce((a, b) => a + b, 0);
      const allBefore = Object.values(beforeSeen[kind]).reduce((a, b) => a + b, 0);
      return refused / (all - allBefore);
    };
    expect(share('browse')).toBeGreaterThan(0.5);
    expect(share('browse')).toBeGreaterThanOrEqual(share('join') - 0.02);
    expect(share('join')).toBeGreaterThanOrEqual(share('poll') - 0.02);
    // Every refusal says when to come back, and they do not all come back together.
    expect(spread.missing).toBe(0);
    expect(spread.seconds.size).toBeGreaterThan(3);

    // Within seconds nobody is refused any more, and newcomers buy.
    await until(
      () => readMetric('fest_shed_level'),
      (level) => level === 0,
      10_000,
    );
    expect((await onlooker.ask('GET', '/festivals', {})).status).toBe(200);
    const late = await fest.createAccount();
    const newcomer = await admit(sale.id, late);
    const answers = await buyNow(sale.id, newcomer);
    for (const { caller } of [...admitted, newcomer]) caller.close();
    onlooker.close();
    expect(answers.at(-1)).toMatchObject({ status: 200, body: { status: 'succeeded' } });
  });
});
