/** The wall: far more buyers than tickets, all in the same second, against two server processes. */
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { simulateBuyers } from '@fest/loadtest/buyers/simulate-buyers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit, queryRow } from '../support/audited.ts';
import { type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

const BUYERS = Number(process.env.FEST_TEST_BUYERS ?? 20_000);
const TICKETS = 1_000;

let stack: SpawnedStack;
beforeAll(async () => {
  stack = await spawnStack(['--servers', '2'], {
    FEST_GATEWAY_LATENCY_MS: '200',
    FEST_GATEWAY_DECLINE_RATE: '0.03',
    FEST_GATEWAY_TIMEOUT_RATE: '0.02',
    FEST_GATEWAY_UNKNOWN_RATE: '0.02',
    FEST_GATEWAY_TIMEOUT_MS: '2000',
  });
});
afterAll(() => stack?.stop());

describe('1,000 tickets, 20,000 buyers at once, two servers', () => {
  it('sells exactly the tickets there are, each once, and archives every order', async () => {
    const sale = await stack.openSale(
      { capacity: TICKETS, holdSeconds: 15, admissionSeconds: 15 },
      { perSecond: 300, maxActive: 600 },
    );
    const { baseUrls, mysqlUrl, redisUrl, logDirs, servers } = stack.state();
    expect(servers).toHaveLength(2);
    const prepared = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret: stack.jwtSecret(), count: BUYERS });
    const started = performance.now();
    const report = await simulateBuyers({
      baseUrls,
      saleId: sale.id,
      tokens: prepared.tokens,
      behaviour: { neverHoldShare: 0.05, neverPayShare: 0.05 },
    });
    const seconds = (performance.now() - started) / 1000;

    expect(report.failures).toEqual([]);
    expect(report.ticketsBought).toBe(TICKETS);
    const found = await audit({ redisUrl, mysqlUrl, logDirs }, sale.id, report.succeeded);
    expect(found.findings).toEqual([]);
    expect(found.compared).toMatchObject({ redisSold: TICKETS, redisHeld: 0, redisAvailable: 0, liveTickets: TICKETS });
    const rows = await queryRow(
      mysqlUrl,
      `SELECT COUNT(*) AS tickets, COUNT(DISTINCT ticket_number) AS numbers, COUNT(DISTINCT order_id) AS orders
         FROM tickets WHERE sale_id = ? AND live = 1`,
      [sale.id],
    );
    expect(rows).toEqual({ tickets: TICKETS, numbers: TICKETS, orders: report.succeeded.length });
    process.stderr.write(
      `onsale: ${BUYERS} buyers, ${report.succeeded.length} orders for ${TICKETS} tickets in ${seconds.toFixed(1)} s; ` +
        `${report.requests} requests, ${report.requestsPerSecond}/s; ${JSON.stringify(report.outcomes)}\n`,
    );
  });
});
