/** kill -9 in the middle of a sale: whoever was told `succeeded` has the order, and nobody has it twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { simulateBuyers } from '@fest/loadtest/buyers/simulate-buyers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit, queryRow } from '../support/audited.ts';
import { type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

const BUYERS = 1_500;
const TICKETS = 500;
const KILLS = 3;

let stack: SpawnedStack;
beforeAll(async () => {
  stack = await spawnStack([], {
    FEST_GATEWAY_LATENCY_MS: '300',
    FEST_GATEWAY_DECLINE_RATE: '0.03',
    FEST_GATEWAY_TIMEOUT_RATE: '0.02',
    FEST_GATEWAY_UNKNOWN_RATE: '0.02',
    FEST_GATEWAY_TIMEOUT_MS: '2000',
  });
});
afterAll(() => stack?.stop());

describe('a server that is killed with -9 while it sells', () => {
  it('loses no payment that was answered succeeded and sells nothing twice', async () => {
    const sale = await stack.openSale(
      { capacity: TICKETS, holdSeconds: 20, admissionSeconds: 20 },
      { perSecond: 40, maxActive: 200 },
    );
    const { baseUrls, mysqlUrl, redisUrl, logDirs } = stack.state();
    const prepared = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret: stack.jwtSecret(), count: BUYERS });
    let told = 0;
    const killed: number[] = [];
    const killer = async (): Promise<void> => {
      for (const share of [0.15, 0.4, 0.65].slice(0, KILLS)) {
        while (told < share * TICKETS) await sleep(20);
        const pid = stack.state().servers[0]?.pid;
        if (pid === undefined || killed.includes(pid)) throw new Error('there is no new server to kill');
        process.kill(pid, 'SIGKILL');
        killed.push(pid);
      }
    };
    const [report] = await Promise.all([
      simulateBuyers({
        baseUrls,
        saleId: sale.id,
        tokens: prepared.tokens,
        behaviour: { neverHoldShare: 0.02, neverPayShare: 0.02 },
        onSucceeded: ({ ticketNumbers }) => {
          told += ticketNumbers.length;
        },
      }),
      killer(),
    ]);

    expect(killed).toHaveLength(KILLS);
    expect(stack.printed()).toMatch(/server-1 .*(killed|SIGKILL)/);
    expect(report.failures).toEqual([]);
    const found = await audit({ redisUrl, mysqlUrl, logDirs }, sale.id, report.succeeded);
    expect(found.findings).toEqual([]);
    expect(found.compared.succeededPayments).toBeGreaterThanOrEqual(report.succeeded.length);
    for (const { orderId, paymentId, ticketNumbers } of report.succeeded) {
      const row = await queryRow(
        mysqlUrl,
        `SELECT o.payment_id, GROUP_CONCAT(t.ticket_number ORDER BY t.ticket_number) AS numbers
           FROM orders o JOIN tickets t ON t.order_id = o.order_id AND t.live = 1 WHERE o.order_id = ? GROUP BY o.payment_id`,
        [orderId],
      );
      expect(row).toEqual({ payment_id: paymentId, numbers: [...ticketNumbers].sort((a, b) => a - b).join(',') });
    }
    const rows = await queryRow(
      mysqlUrl,
      'SELECT COUNT(*) AS tickets, COUNT(DISTINCT ticket_number) AS numbers FROM tickets WHERE sale_id = ? AND live = 1',
      [sale.id],
    );
    expect(rows).toEqual({ tickets: TICKETS, numbers: TICKETS });
    process.stderr.write(
      `killed-server: ${KILLS} kills, ${report.succeeded.length} orders told, ${TICKETS} tickets, none twice\n`,
    );
  });
});
