/**
 * How fast order logs are read and replayed into an empty MySQL, and in how much memory:
 *
 *   node scripts/bench-replay.ts [records] [--keep]
 *
 * Writes a log of so many records (default 1,000,000) with the order log's own writer, starts a private MySQL or MariaDB
 * beside it (or uses `FEST_MYSQL_URL`: an empty database), replays, replays again, and compares. All of it in a temporary
 * folder, which `--keep` leaves there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngines } from '../packages/cli/src/local-stack/engines.ts';
import { createRandom } from '../packages/loadtest/src/buyers/random.ts';
import { identifyLog } from '../packages/server/src/features/archive/log-identity.ts';
import { replayLogs } from '../packages/server/src/features/archive/replay.ts';
import { scanLog } from '../packages/server/src/features/archive/replay-scan.ts';
import { openOrderLog } from '../packages/server/src/order-log/order-log.ts';
import type { OrderLogRecord, OrderPaid, PaymentIntent } from '../packages/server/src/order-log/records.ts';
import { newId, orderIdOf } from '../packages/server/src/platform/ids.ts';
import { createMysqlPool, migrate } from '../packages/server/src/platform/mysql.ts';

/** Records waiting for the disk at a time. */
const APPEND_AT_ONCE = 10_000;
/** Payments under way at the same time: how far an outcome is behind its intent. */
const IN_FLIGHT = 500;
const SALES = 20;

/** What a busy evening leaves: 85 of 100 payments become orders, 12 fail, 3 are refunded; 2 of 100 orders are cancelled. */
function* eveningRecords(count: number): Generator<OrderLogRecord> {
  const random = createRandom('bench');
  const underWay: PaymentIntent[] = [];
  const sold: OrderPaid[] = [];
  const confirmed = new Map<number, number>();
  const nextTicket = new Map<number, number>();
  let at = Date.UTC(2027, 0, 1);
  for (let written = 0; written < count; ) {
    at += 1;
    const saleId = 1 + Math.floor(random() * SALES);
    const paymentId = newId('payment', saleId, at);
    const first = nextTicket.get(saleId) ?? 1;
    const quantity = 1 + Math.floor(random() * 4);
    nextTicket.set(saleId, first + quantity);
    const ticketNumbers = Array.from({ length: quantity }, (_, index) => first + index);
    const accountId = 1 + Math.floor(random() * 300_000);
    const holdId = newId('hold', saleId, at);
    const money = { amount: 5_900 * quantity, currency: 'EUR' };
    const base = { saleId, epoch: 1, at };
    const intent: PaymentIntent = {
      type: 'paymentIntent',
      ...base,
      paymentId,
      holdId,
      accountId,
      ticketNumbers,
      ...money,
      method: 'card',
    };
    yield intent;
    written += 1;
    underWay.push(intent);
    if (underWay.length < IN_FLIGHT) continue;
    const index = Math.floor(random() * underWay.length);
    const [due] = underWay.splice(index, 1);
    if (due === undefined) continue;
    for (const record of outcomeOf(due, at, random, confirmed, sold)) {
      yield record;
      written += 1;
    }
  }
}

function* outcomeOf(
  intent: PaymentIntent,
  at: number,
  random: () => number,
  confirmed: Map<number, number>,
  sold: OrderPaid[],
): Generator<OrderLogRecord> {
  const { saleId, paymentId, holdId, accountId, amount, currency, ticketNumbers } = intent;
  const base = { saleId, epoch: 1, at, paymentId };
  const outcome = random();
  if (outcome < 0.12) {
    yield { type: 'paymentFailed', ...base, holdId, failureCode: 'card_declined' };
    return;
  }
  if (outcome < 0.15) {
    yield { type: 'refundStarted', ...base, holdId, accountId, amount, currency, reason: 'hold_expired' };
    yield { type: 'refundCompleted', ...base };
    return;
  }
  const confirmSeq = (confirmed.get(saleId) ?? 0) + 1;
  confirmed.set(saleId, confirmSeq);
  const order: OrderPaid = {
    type: 'orderPaid',
    ...base,
    orderId: orderIdOf(paymentId),
    holdId,
    festivalId: 1,
    accountId,
    confirmSeq,
    ticketNumbers,
    capacity: 1_000_000,
    amount,
    currency,
  };
  yield order;
  sold.push(order);
  if (sold.length < 2_000 || random() > 0.02) return;
  const [given] = sold.splice(0, 1);
  if (given === undefined) return;
  const { orderId } = given;
  const refund = { saleId: given.saleId, epoch: 1, at, paymentId: given.paymentId, orderId };
  const reason = 'cancelled_by_buyer';
  yield { type: 'refundStarted', ...refund, holdId: '', accountId, amount, currency, reason };
  yield { type: 'refundCompleted', ...refund };
  yield { type: 'orderCancelled', saleId: given.saleId, epoch: 1, at, orderId, ticketNumbers: given.ticketNumbers };
}

async function writeLog(directory: string, count: number): Promise<void> {
  const log = await openOrderLog({ directory });
  let waiting: Promise<number>[] = [];
  for (const record of eveningRecords(count)) {
    waiting.push(log.append(record));
    if (waiting.length < APPEND_AT_ONCE) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
  await log.close();
}

async function timed<Result>(what: string, records: number, work: () => Promise<Result>): Promise<Result> {
  const beganMs = performance.now();
  const result = await work();
  const seconds = (performance.now() - beganMs) / 1000;
  const rate = Math.round(records / seconds).toLocaleString('en');
  const rssMib = Math.round(process.memoryUsage.rss() / 2 ** 20);
  process.stdout.write(
    `${what.padEnd(28)} ${seconds.toFixed(1).padStart(7)} s  ${rate.padStart(9)} records/s  ${rssMib} MiB\n`,
  );
  return result;
}

const [, script = '', given = '1000000', writeTo] = process.argv;
const records = Number(given);
if (writeTo !== undefined && writeTo !== '--keep') {
  // In a process of its own, so that its memory is not counted.
  await writeLog(writeTo, records);
  process.exit(0);
}
const folder = await mkdtemp(join(tmpdir(), 'fest-bench-replay-'));
const directory = join(folder, 'log');
try {
  await timed('write the log', records, async () => {
    const child = spawn(process.execPath, [script, given, directory], { stdio: 'inherit' });
    const [exitCode] = await once(child, 'exit');
    if (exitCode !== 0) throw new Error(`writing the log ended with ${exitCode}`);
  });
  const identity = await identifyLog(directory);
  await timed('read and verify', records, () => scanLog(identity));
  const engines = await startEngines({ directory: folder, env: process.env });
  try {
    await migrate(engines.mysqlUrl);
    const mysql = createMysqlPool(engines.mysqlUrl, 6);
    const replay = (dryRun = false) =>
      replayLogs({ mysql, directories: [directory], nowMs: () => Date.now(), ...(dryRun ? { dryRun } : {}) });
    const report = await timed('replay into an empty MySQL', records, () => replay());
    process.stdout.write(`  orders ${report.counts.ordersMissing}, refused ${report.counts.refused}\n`);
    const again = await timed('replay once more', records, () => replay());
    const compared = await timed('compare (--dry-run)', records, () => replay(true));
    process.stdout.write(`  differences ${JSON.stringify([again.counts, compared.counts])}\n`);
    process.stdout.write(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`);
    await mysql.end();
  } finally {
    await engines.stop();
  }
} finally {
  if (!process.argv.includes('--keep')) await rm(folder, { recursive: true, force: true });
}
