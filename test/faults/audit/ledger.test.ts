import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fest-ledger-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const line = (fields: object): string => `${JSON.stringify(fields)}\n`;
const charge = (paymentId: string, outcome: string): string =>
  line({ entry: 'charge', paymentId, amount: 100, currency: 'EUR', outcome, decidedAtMs: 1 });

it('takes in what every server has written, once, and leaves a line that is half written for later', async () => {
  const ledger = new Ledger(directory);
  const half = charge('pay_1_b', 'captured');
  appendFileSync(join(directory, 'server-1.ndjson'), charge('pay_1_a', 'captured') + half.slice(0, 20));
  await ledger.read();
  expect([...ledger.entries.keys()]).toEqual(['pay_1_a']);

  appendFileSync(join(directory, 'server-1.ndjson'), half.slice(20));
  appendFileSync(
    join(directory, 'server-2.ndjson'),
    charge('pay_1_c', 'declined') +
      line({ entry: 'refund', paymentId: 'pay_1_a', atMs: 2 }) +
      charge('pay_1_b', 'captured'),
  );
  await ledger.read();
  await ledger.read();
  expect(Object.fromEntries(ledger.entries)).toEqual({
    pay_1_a: { captures: [100], declines: 0, refunds: 1 },
    // Money that was taken at two servers was taken twice.
    pay_1_b: { captures: [100, 100], declines: 0, refunds: 0 },
    pay_1_c: { captures: [], declines: 1, refunds: 0 },
  });
});
