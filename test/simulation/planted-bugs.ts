/**
 * Proof of the simulation: bugs of the kind it is for, planted one at a time while the server's modules are loaded. Each has
 * to be caught within a bounded number of seeds. One whose text is no longer in its file fails, so that the list keeps up.
 */
import { runCampaign } from './campaign.ts';
import type { TextChange } from './modules/hooks.ts';
import type { SeedResult } from './run-seed.ts';
import type { Circumstances } from './world/faults.ts';

export interface PlantedBug {
  /** What is wrong then. */
  readonly name: string;
  readonly changes: readonly TextChange[];
  /** What it takes to show, where only one seed in thousands draws that. */
  readonly circumstances?: Circumstances;
}

/** Most bugs need far fewer. */
const SEEDS_AT_MOST = 6_000;
const STEPS = 1_500;

function bug(name: string, file: string, find: string, replace: string, ...others: readonly TextChange[]): PlantedBug {
  return { name, changes: [{ file, find, replace }, ...others] };
}

function rareBug(circumstances: Circumstances, ...planted: Parameters<typeof bug>): PlantedBug {
  return { ...bug(...planted), circumstances };
}

const lua = (script: string): string => `redis/lua/${script}.lua`;
const WRITER = 'order-log/writer.ts';
const RECOVERY = 'order-log/recovery.ts';
const PROCESSOR = 'features/payments/payment-processor.ts';
const REBUILD_STORE = 'features/stock/rebuild-store.ts';

const ORDER_LOG: readonly PlantedBug[] = [
  bug(
    'a record is acknowledged before its fdatasync',
    WRITER,
    '    this.#sealed = false;\n    this.#sync();\n    this.#durableLsn',
    '    this.#sealed = false;\n    this.#unsynced = true;\n    this.#durableLsn',
  ),
  bug(
    'a failed fdatasync is tried again',
    WRITER,
    '    this.#file.datasync();\n',
    '    try {\n      this.#file.datasync();\n    } catch {\n      this.#file.datasync();\n    }\n',
  ),
  bug(
    'a last batch without a seal is cut off',
    RECOVERY,
    'for (const leftover of scanner.leftovers) cutOff(files, directory, leftover);',
    `const { sealed, segmentNumber, unsyncedOffset, offset } = scanner.position;
  if (!sealed) cutOff(files, directory, { segmentNumber, from: unsyncedOffset, to: offset });
  for (const leftover of scanner.leftovers) cutOff(files, directory, leftover);`,
  ),
  bug('what was read back counts as durable', RECOVERY, '    writeFully(file, [end], unsyncedOffset);\n', ''),
  rareBug(
    {
      faults: ['operator: rebuild', 'slow commands of a server', 'hanging Redis', 'pause'],
      betweenSteps: 0.1,
    },
    'the writer takes intents of an epoch that is over',
    'order-log/gate.ts',
    'if (type === RECORD_TYPES.paymentIntent) return this.#refuseStale(record, false);',
    'if (type === RECORD_TYPES.paymentIntent) return undefined;',
  ),
];

const SCRIPTS: readonly PlantedBug[] = [
  bug(
    'confirming does not look at the epoch',
    lua('confirm-payment'),
    "if s[1] ~= ARGV[1] then return {'wrongEpoch'} end",
    '',
  ),
  bug('holding does not look at the epoch', lua('take-hold'), "if s[1] ~= ARGV[1] then return {'wrongEpoch'} end", ''),
  bug(
    'a hold is not remembered under its Idempotency-Key',
    lua('take-hold'),
    "remember(holdId)\nreturn {'held'",
    "return {'held'",
  ),
  bug(
    'one ticket too many is held',
    lua('take-hold'),
    'if available < quantity then',
    'if available + 1 < quantity then',
  ),
  bug(
    'the limit per buyer is off by one',
    lua('take-hold'),
    'if has + quantity > limit then',
    'if has + quantity > limit + 1 then',
  ),
  bug('anybody may give a hold back', lua('release-hold'), 'if h[3] ~= account then', 'if not h[3] then'),
  bug(
    'a confirmation after an expiry takes tickets beyond the limit',
    lua('confirm-payment'),
    ' or has + quantity > tonumber(s[5]) then',
    ' then',
  ),
  bug(
    'a repeated confirmation sells again',
    lua('confirm-payment'),
    "if h[1] == 'sold' and ours and current then",
    'if false then',
  ),
  bug(
    'the sweeper frees holds that are being paid',
    lua('sweep-holds'),
    "if h[4] == 'held' then",
    "if h[4] == 'held' or h[4] == 'paying' then",
    { file: lua('begin-payment'), find: "redis.call('ZREM', expiry, holdId)", replace: '' },
  ),
  bug(
    'tickets of a cancelled order come back twice',
    lua('return-tickets'),
    "if redis.call('SADD', returned, orderId) == 0 then",
    'if false then',
  ),
  bug('buyers too many come inside', lua('take-hold'), 'if tonumber(s[16]) >= tonumber(s[17]) then', 'if false then', {
    file: 'features/waiting-room/admission-controller.ts',
    find: 'const free = maxActive - inside;',
    replace: 'const free = maxActive + 3 - inside;',
  }),
  bug('joining again loses the place', lua('join-queue'), "(s[9] == 'keep' or repeated)", 'repeated'),
];

const PAYMENTS: readonly PlantedBug[] = [
  bug(
    'money is asked for before the intent is on disk',
    PROCESSOR,
    '      await this.#write(intent);\n',
    '      void this.#write(intent).catch(() => undefined);\n',
  ),
  bug(
    'an order is shown before it is on disk',
    PROCESSOR,
    'const outcome = await this.#makeDurable(order);',
    'await this.#show(order);\n      const outcome = await this.#makeDurable(order);',
  ),
  bug('a refund is not decided on disk first', PROCESSOR, '    await this.#append(started);\n', ''),
  bug(
    'the amount that was taken is not compared',
    'features/payments/payments.ts',
    'return taken.amount === intent.amount && taken.currency === intent.currency',
    'return taken.currency === intent.currency',
  ),
  bug(
    'an unknown outcome counts as failed',
    'features/payments/payments.ts',
    "    case 'unknown':\n      return { kind: 'lookUp', reason: outcome.reason };",
    "    case 'unknown':\n      return { kind: 'fail', failureCode: outcome.reason };",
  ),
  bug(
    'a start forgets the payments without an outcome',
    'features/payments/resume.ts',
    'for (const intent of unfinished.intents.values()) processor.resume(intent);',
    '',
  ),
  bug(
    'a payment that is confirmed under an old epoch is refunded and goes on',
    PROCESSOR,
    "if (refusal.sameOrder) return 'repeated';",
    "if (refusal.sameOrder || refusal.reason === 'staleEpoch') return 'repeated';",
  ),
];

const REBUILDS: readonly PlantedBug[] = [
  bug(
    'a rebuild does not wait for the logs of other servers',
    REBUILD_STORE,
    'WHERE COALESCE(log_epochs.epoch, 0) < rebuilds.epoch',
    'WHERE 1 = 0 AND COALESCE(log_epochs.epoch, 0) < rebuilds.epoch',
  ),
  bug(
    'a rebuild begins the confirmation numbers again',
    'features/stock/restore-stock.ts',
    'confirmSeq: sold.lastConfirmSeq,',
    'confirmSeq: 0,',
  ),
  bug(
    'a rebuild forgets the orders that MySQL refused',
    'features/stock/read-sold.ts',
    'for (const order of this.#refused) if (!this.#returned.has(order.orderId)) this.#addRefused(order);',
    '',
  ),
  bug(
    'a rebuild forgets which orders are being cancelled',
    'features/stock/restore-stock.ts',
    '    await redis.sadd(returned, ...orderIds);\n',
    '',
  ),
  bug(
    'queue numbers begin again with every epoch',
    'features/stock/restore-stock.ts',
    'return (epoch - 1) * LIMITS.queueNumbersPerEpoch;',
    'return 0 * epoch;',
  ),
  bug(
    'a state that was restored from an older snapshot is trusted',
    'redis/run-id.ts',
    'export function storedEpochText({ epoch, run }: StoredEpoch): string {\n',
    "export function storedEpochText({ epoch }: StoredEpoch): string {\n  const run = '';\n",
    {
      file: 'features/stock/live-sales.ts',
      find: 'if (snapshot.run !== run) return',
      replace: "if (snapshot.run !== '') return",
    },
  ),
];

const ARCHIVE: readonly PlantedBug[] = [
  bug(
    'an order is inserted again when its batch is applied again',
    'features/archive/order-rows.ts',
    'const missing = orders.filter(({ orderId }) => !known.has(orderId));',
    'const missing = known.size < 0 ? [] : orders;',
  ),
  bug(
    'tombstones are ignored',
    'features/archive/order-rows.ts',
    '        tombstones.has(orderId) ? null : 1,',
    '        1,',
  ),
  bug(
    'unfinished payments are not kept beside the position',
    'features/archive/payment-rows.ts',
    "'SELECT record FROM payments WHERE log_id = ? AND unfinished = 1 AND record IS NOT NULL'",
    "'SELECT record FROM payments WHERE log_id = ? AND unfinished = 2 AND record IS NOT NULL'",
  ),
  bug(
    'the position moves over records that were not applied',
    'features/archive/apply-batch.ts',
    'const newOrders = await applyRecords(connection, log.logId, records, context);',
    'const newOrders = records.length > 3 ? 0 : await applyRecords(connection, log.logId, records, context);',
  ),
];

const TIME: readonly PlantedBug[] = [
  rareBug(
    // Two servers that take the lease from each other, and nothing that ends it.
    { faults: [], clocksDiffer: true },
    "the ticker's lease goes by the clocks of the servers",
    lua('tick'),
    'beat ~= idleBeat',
    'tonumber(beat) > nowMs and tonumber(beat) <= nowMs + 2000',
    { file: lua('tick'), find: 'tonumber(beat) + 1', replace: "string.format('%.0f', nowMs + 2000)" },
  ),
  bug(
    'nobody takes over from a ticker that is gone',
    'features/waiting-room/ticker.ts',
    'nowMs - seen.sinceMs >= LIMITS.tickerLeaseMs',
    'nowMs < seen.sinceMs',
  ),
  bug(
    "a server that starts goes by Redis's clock alone",
    'platform/clock-sources.ts',
    'this.#offsetMs = judgeClocks(readings).medianMs;',
    'this.#offsetMs = readings.redis.offsetMs;',
  ),
];

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...ORDER_LOG,
  ...SCRIPTS,
  ...PAYMENTS,
  ...REBUILDS,
  ...ARCHIVE,
  ...TIME,
];

/** The first seed that catches it; undefined when none does. @throws when its text is not where it should be */
export async function huntPlantedBug(
  { changes, circumstances = {} }: PlantedBug,
  workers: number,
): Promise<SeedResult | undefined> {
  const campaign = { from: 1, seeds: SEEDS_AT_MOST, steps: STEPS, workers, changes, circumstances, untilFailure: true };
  const results = await runCampaign(campaign);
  return results.find(({ failure }) => failure !== undefined);
}
