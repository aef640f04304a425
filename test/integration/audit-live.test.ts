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

interface Selling {
  readonly saleId: number;
  readonly buyers: number;
  readonly tokens: readonly string[];
  readonly overMs: number;
}

/** Buyers come over some time, and most of those who bought give it back a moment later. */
async function sell({ saleId, tokens, overMs }: Selling, signal: AbortSignal) {
  const cancelling: Promise<boolean>[] = [];
  const report = await simulateBuyers({
    baseUrls: baseUrls(),
    saleId,
    tokens,
    arrival: { overMs },
    behaviour: { neverHoldShare: 0.05, neverPayShare: 0.1 },
    seed: `audit ${saleId}`,
    signal,
    onSucceeded: (payment) => {
      if (payment.buyer % 10 < CANCEL_SHARE * 10) cancelling.push(cancel(tokens[payment.buyer] ?? '', payment));
    },
  });
  const cancelled = (await Promise.all(cancelling)).filter(Boolean).length;
  return { report, cancelled };
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

async function prepare(capacity: number, buyers: number): Promise<Pick<Selling, 'saleId' | 'tokens' | 'buyers'>> {
  const sale = await app.createSale({ capacity, limitPerBuyer: 3, holdSeconds: 20, admissionSeconds: 60 });
  const { mysqlUrl } = app.stores;
  const { jwtSecret } = app.services.config;
  const prepared = await prepareBuyers({ baseUrls: baseUrls(), mysqlUrl, jwtSecret, count: buyers, overHttp: 0 });
  return { saleId: sale.id, buyers, tokens: prepared.tokens };
}

function say(
  what: string,
  { report, cancelled }: { report: BuyersReport; cancelled: number },
  audits: readonly SaleAudit[],
) {
  const orders = audits.map(({ compared }) => compared.logOrders);
  const unproven = audits.filter((audit) => audit.unproven?.length !== 0).length;
  process.stderr.write(
    `${what}: ${report.succeeded.length} orders, ${cancelled} given back; ${audits.length} audits (${unproven} not of ` +
      `everything) while there were ${orders.join(' ')}; ${JSON.stringify(report.outcomes)}\n`,
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

  it('shows no difference in thirty audits, and proves everything when it is over', { timeout: 240_000 }, async () => {
    const prepared = await prepare(3_000, 7_000);
    const stop = new AbortController();
    const selling = sell({ ...prepared, overMs: 25_000 }, stop.signal);
    const audits = await lookOften(prepared.saleId, (count) => count >= AUDITS);
    stop.abort();
    const sold = await selling;
    say('audit-live', sold, audits);
    // Most of them saw orders come in while they looked.
    const seen = new Set(audits.map(({ compared }) => compared.logRecords)).size;
    expect(seen).toBeGreaterThan(AUDITS / 2);
    expect(sold.cancelled).toBeGreaterThan(100);
    const last = await look(prepared.saleId);
    expect(last).toMatchObject({ findings: [], unproven: [] });
    expect(last.compared.logOrders).toBeGreaterThan(1_000);
  });

  it('shows none while Redis loses the sale and a server is killed', { timeout: 240_000 }, async () => {
    const prepared = await prepare(800, 2_500);
    const stop = new AbortController();
    const selling = sell({ ...prepared, overMs: 15_000 }, stop.signal);
    let isOver = false;
    const faults = async (): Promise<void> => {
      const [, second] = processes.servers;
      await sleep(4_000);
      await app.services.redis.del(saleKeys.sale(prepared.saleId));
      await sleep(4_000);
      await second?.kill();
      await sleep(1_500);
      await app.services.redis.del(saleKeys.sale(prepared.saleId), saleKeys.bought(prepared.saleId));
      await sleep(1_500);
      await second?.restart();
      await sleep(8_000);
      isOver = true;
    };
    const [audits] = await Promise.all([lookOften(prepared.saleId, () => isOver), faults()]);
    stop.abort();
    say('audit-faults', await selling, audits);
    let last = await look(prepared.saleId);
    for (let count = 0; count < 20 && last.unproven?.length !== 0; count += 1) {
      await sleep(500);
      last = await look(prepared.saleId);
    }
    expect(last).toMatchObject({ findings: [], unproven: [] });
  });
});
