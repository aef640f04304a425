/** An audit of a sale that is running: whatever moves meanwhile is no difference. */
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import type { BuyersReport, SucceededPayment } from '@fest/loadtest/buyers/report';
import { simulateBuyers } from '@fest/loadtest/buyers/simulate-buyers';
import type { SaleAudit } from '@fest/server/audit/audit-sale';
import { simulatedStatement } from '@fest/server/audit/gateway-statement';
import { pathOf } from '@fest/server/contract/paths';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditNow } from '../support/audited.ts';
import { integration } from '../support/integration.ts';
import { type ServerProcesses, startServerProcesses } from '../support/server-processes.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const AUDITS = 30;
/** Share of orders that are given back, so that tickets come back to stock and are sold again. */
const CANCEL_SHARE = 0.6;

let app: TestApp;
let processes: ServerProcesses;

/** Buyers of one wave, who come within `WAVE_MS`: some 250 a second. */
const WAVE = 1_000;
const WAVE_MS = 4_000;

interface Sold {
  orders: number;
  cancelled: number;
}

/** Wave after wave of buyers, most of whom give their tickets back a moment after they bought. */
async function sell(saleId: number, tokens: readonly string[], isOver: () => boolean): Promise<Sold> {
  const sold: Sold = { orders: 0, cancelled: 0 };
  const stop = new AbortController();
  const waves: Promise<BuyersReport>[] = [];
  const cancelling: Promise<boolean>[] = [];
  for (let wave = 0; !isOver(); wave += 1) {
    const first = (wave * WAVE) % tokens.length;
    const ofWave = tokens.slice(first, first + WAVE);
    const selling = simulateBuyers({
      baseUrls: baseUrls(),
      saleId,
      tokens: ofWave,
      arrival: { overMs: WAVE_MS },
      behaviour: { neverHoldShare: 0.05, neverPayShare: 0.1 },
      seed: `audit ${saleId} ${wave}`,
      signal: stop.signal,
      onSucceeded: (payment) => {
        sold.orders += 1;
        if (payment.buyer % 10 < CANCEL_SHARE * 10) cancelling.push(cancel(ofWave[payment.buyer] ?? '', payment));
      },
    });
    waves.push(selling);
    // On a slow machine the next wave waits for this one.
    await Promise.all([sleep(WAVE_MS), Promise.race([selling, sleep(4 * WAVE_MS)])]);
  }
  stop.abort();
  await Promise.all(waves);
  sold.cancelled = (await Promise.all(cancelling)).filter(Boolean).length;
  return sold;
}

/** The order reaches MySQL a moment after it was paid: until then it cannot be given back. */
async function cancel(token: string, { orderId, buyer }: SucceededPayment): Promise<boolean> {
  const path = pathOf('orderCancel', { orderId });
  for (let attempt = buyer; attempt < buyer + 20; attempt += 1) {
    await sleep(300);
    const url = `${baseUrls()[attempt % baseUrls().length]}${path}`;
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } }).catch(
      () => undefined,
    );
    await answer?.arrayBuffer();
    if (answer?.status === 202) return true;
  }
  return false;
}

const baseUrls = (): readonly string[] => processes.servers.map(({ baseUrl }) => baseUrl);

function look(saleId: number): Promise<SaleAudit> {
  const { redisUrl, mysqlUrl, logDirectory, gatewayDirectory } = app.stores;
  const logDirs = [logDirectory, ...processes.servers.map((server) => server.logDirectory)];
  const gateway = simulatedStatement(gatewayDirectory);
  return auditNow({ redisUrl, mysqlUrl, logDirs, gateway, graceMs: 0, settleMs: 3_000, applierWaitMs: 3_000 }, saleId);
}

/** Looks again and again; none may find anything. */
async function lookOften(saleId: number, isOver: (count: number) => boolean): Promise<readonly SaleAudit[]> {
  const audits: SaleAudit[] = [];
  while (!isOver(audits.length)) {
    const audit = await look(saleId);
    expect(audit.findings, JSON.stringify(audit, undefined, 1)).toEqual([]);
    audits.push(audit);
    await sleep(100);
  }
  return audits;
}

async function prepare(capacity: number, buyers: number) {
  const sale = await app.createSale({ capacity, limitPerBuyer: 3, holdSeconds: 20, admissionSeconds: 60 });
  const { mysqlUrl } = app.stores;
  const { jwtSecret } = app.services.config;
  const { tokens } = await prepareBuyers({ baseUrls: baseUrls(), mysqlUrl, jwtSecret, count: buyers, overHttp: 0 });
  return { saleId: sale.id, tokens };
}

function say(what: string, { orders, cancelled }: Sold, audits: readonly SaleAudit[], elapsedMs: number): void {
  const seen = audits.map(({ compared }) => compared.logOrders);
  const unproven = audits.filter((audit) => audit.unproven?.length !== 0).length;
  process.stderr.write(
    `${what}: ${orders} orders and ${cancelled} given back in ${Math.round(elapsedMs / 1_000)} s; ${audits.length} audits ` +
      `(${unproven} could not compare everything) saw ${seen.join(' ')} orders\n`,
  );
}

integration('a sale with two servers that is audited while buyers buy and give back', () => {
  beforeAll(async () => {
    app = await buildTestApp();
    processes = await startServerProcesses(app, 2, {
      FEST_GATEWAY_LATENCY_MS: '50',
      FEST_GATEWAY_DECLINE_RATE: '0.05',
      FEST_GATEWAY_TIMEOUT_RATE: '0.01',
      FEST_GATEWAY_UNKNOWN_RATE: '0.02',
      FEST_GATEWAY_TIMEOUT_MS: '1000',
    });
  });

  afterAll(async () => {
    await processes?.close();
    await app?.close();
  });

  it('shows no difference in thirty audits, and proves everything when it is over', { timeout: 400_000 }, async () => {
    const { saleId, tokens } = await prepare(30_000, 10 * WAVE);
    const beganMs = performance.now();
    let isOver = false;
    const looking = lookOften(saleId, (count) => count >= AUDITS).finally(() => {
      isOver = true;
    });
    const [audits, sold] = await Promise.all([looking, sell(saleId, tokens, () => isOver)]);
    say('audit-live', sold, audits, performance.now() - beganMs);
    // They saw orders come in while they looked.
    expect(new Set(audits.map(({ compared }) => compared.logRecords)).size).toBeGreaterThan(AUDITS * 0.8);
    expect(sold.cancelled).toBeGreaterThan(100);
    const last = await look(saleId);
    expect(last).toMatchObject({ findings: [], unproven: [] });
    expect(last.compared.logOrders).toBeGreaterThan(1_000);
  });

  it('shows none while Redis loses the sale and a server is killed', { timeout: 400_000 }, async () => {
    const { saleId, tokens } = await prepare(30_000, 10 * WAVE);
    const beganMs = performance.now();
    let isOver = false;
    const faults = async (): Promise<void> => {
      const [, second] = processes.servers;
      const { redis } = app.services;
      await sleep(4_000);
      await redis.del(saleKeys.sale(saleId));
      await sleep(4_000);
      await second?.kill();
      await sleep(1_500);
      await redis.del(saleKeys.sale(saleId), saleKeys.bought(saleId));
      await sleep(1_500);
      await second?.restart();
      await sleep(8_000);
    };
    const failing = faults().finally(() => {
      isOver = true;
    });
    const [audits, sold] = await Promise.all([
      lookOften(saleId, () => isOver),
      sell(saleId, tokens, () => isOver),
      failing,
    ]);
    say('audit-faults', sold, audits, performance.now() - beganMs);
    let last = await look(saleId);
    for (let count = 0; count < 20 && last.unproven?.length !== 0; count += 1) {
      await sleep(500);
      last = await look(saleId);
    }
    expect(last).toMatchObject({ findings: [], unproven: [] });
  });
});
