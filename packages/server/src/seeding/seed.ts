/**
 * `fest seed`: festivals and sales from a file into MySQL, their stock into Redis. Safe to repeat, alone or beside a
 * running sale: what has the same key is compared and changed through the same transactions as the API's, which refuse
 * what tickets already sold forbid. What is no longer in the file stays.
 *
 * A relative time counts from the creation of its festival or sale: applying the file again does not move it.
 */
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import type { FieldError } from '../contract/problems.ts';
import { normaliseEmail } from '../features/accounts/accounts.ts';
import type { FestivalFields, FestivalRecord, SaleFields } from '../features/catalogue/catalogue.ts';
import { type CatalogueChanges, createCatalogueChanges } from '../features/catalogue/catalogue-changes.ts';
import { publishChange } from '../features/catalogue/invalidation.ts';
import type { SaleRecord } from '../features/catalogue/sale-record.ts';
import { findFestivalBySeedKey, findSaleBySeedKey } from '../features/catalogue/store.ts';
import { LiveSales } from '../features/stock/live-sales.ts';
import type { SaleStates } from '../features/stock/sale-states.ts';
import type { Clock } from '../platform/clock.ts';
import { createSteadyClock } from '../platform/clock.ts';
import { createMysqlPool, type MysqlPool } from '../platform/mysql.ts';
import { acquireConnection, selectRows } from '../platform/mysql-statements.ts';
import { connectRedis } from '../platform/redis.ts';
import { parseSeed, type SeedFault, type SeedFestival, type SeedSale, type SeedTime } from './seed-file.ts';

export type SeedOutcome =
  | { readonly outcome: 'created' | 'updated' | 'unchanged'; readonly id: number }
  | { readonly outcome: 'refused'; readonly reason: string };

export type SeededSale = SeedOutcome & { readonly key: string };
export type SeededFestival = SeedOutcome & { readonly key: string; readonly sales: readonly SeededSale[] };

export interface SeedReport {
  readonly festivalsCreated: number;
  readonly festivalsUpdated: number;
  readonly festivalsUnchanged: number;
  readonly festivalsRefused: number;
  readonly salesCreated: number;
  readonly salesUpdated: number;
  readonly salesUnchanged: number;
  readonly salesRefused: number;
  readonly festivals: readonly SeededFestival[];
}

/** The file cannot be used; nothing was changed. */
export class SeedFileError extends Error {
  readonly faults: readonly SeedFault[];
  constructor(faults: readonly SeedFault[]) {
    super(faults.map(formatFault).join('\n'));
    this.name = 'SeedFileError';
    this.faults = faults;
  }
}

/** `demo.yaml:12:5 festivals[0].sales[1].price must be >= 0` */
export function formatFault({ file, line, column, field, message }: SeedFault): string {
  return `${file}:${line}:${column} ${field === '' ? '' : `${field} `}${message}`;
}

export interface SeedFromFileOptions {
  /** For messages: as the user wrote it. */
  readonly file: string;
  readonly text: string;
  readonly mysqlUrl: string;
  readonly redisUrl: string;
  readonly onProgress?: (message: string) => void;
}

/** @throws SeedFileError for a faulty file; errors of MySQL and Redis as they are. */
export async function seedFromFile(options: SeedFromFileOptions): Promise<SeedReport> {
  const parsed = parseSeed(options.text, options.file);
  if (!parsed.ok) throw new SeedFileError(parsed.faults);
  // Looked at before anything is opened, so that a faulty file is told apart without a running stack.
  const mysql = createMysqlPool(options.mysqlUrl, 2);
  try {
    const redis = await connectRedis(options.redisUrl);
    try {
      const { onProgress = () => undefined } = options;
      const clock = createSteadyClock();
      const logger = pino({ level: 'silent' });
      // Lost state is restored by the servers, from their logs; here such a sale just has none, and its change is refused.
      const saleStates = new LiveSales({ redis, clock, logger, onSuspect: () => undefined });
      return await applySeed(parsed.seed, { mysql, redis, saleStates, clock, onProgress });
    } finally {
      redis.disconnect();
    }
  } finally {
    await mysql.end();
  }
}

export interface SeedStores {
  readonly mysql: MysqlPool;
  readonly redis: Redis;
  readonly saleStates: SaleStates;
  readonly clock: Clock;
  readonly onProgress: (message: string) => void;
}

interface Run extends SeedStores {
  readonly changes: CatalogueChanges;
}

/**
 * Two seeds at once come one after the other. The Redis state of a sale that exists is never created here, even when it is
 * gone: it would come back with its sold tickets for sale. Restoring it is the servers' work.
 */
export async function applySeed(
  seed: { readonly organizer: string | undefined; readonly festivals: readonly SeedFestival[] },
  stores: SeedStores,
): Promise<SeedReport> {
  const { mysql, redis } = stores;
  const announce = (change: Parameters<typeof publishChange>[1]) => publishChange(redis, change);
  const run: Run = { ...stores, changes: createCatalogueChanges({ ...stores, announce }) };
  const lock = await acquireConnection(mysql);
  try {
    const [row] = await selectRows<{ readonly locked: number | null }>(
      lock,
      "SELECT GET_LOCK(CONCAT('fest-seed-', DATABASE()), ?) AS locked",
      [LOCK_SECONDS],
    );
    if (row?.locked !== 1) throw new Error(`another seed has been running for ${LOCK_SECONDS} s`);
    const organizerId = await findOrganizer(mysql, seed.organizer);
    const festivals: SeededFestival[] = [];
    for (const festival of seed.festivals)
      festivals.push(await seedFestival(run, festival, organizerId, seed.organizer));
    return summarise(festivals);
  } finally {
    // Closing the connection frees the lock, whatever happened.
    lock.destroy();
  }
}

/** Shorter than the query time-out, so that waiting ends with our own words. */
const LOCK_SECONDS = 8;

async function findOrganizer(mysql: MysqlPool, email: string | undefined): Promise<number | undefined> {
  const [condition, values] = email === undefined ? ['', []] : ['AND email = ?', [normaliseEmail(email)]];
  const [row] = await selectRows<{ readonly id: number }>(
    mysql,
    `SELECT id FROM accounts WHERE FIND_IN_SET('organizer', roles) AND deleted_at_ms IS NULL ${condition} ORDER BY id LIMIT 1`,
    values,
  );
  return row?.id;
}

/** A fixed time as it is; a relative one from now for something new, and as it is stored for something that exists. */
function resolveTime(time: SeedTime, stored: number | undefined, nowMs: number): number {
  return time.kind === 'at' ? time.timeMs : (stored ?? nowMs + time.offsetMs);
}

function festivalFields(
  { fields, times }: SeedFestival,
  stored: FestivalRecord | undefined,
  nowMs: number,
): FestivalFields {
  return {
    ...fields,
    startsAtMs: resolveTime(times.startsAtMs, stored?.startsAtMs, nowMs),
    endsAtMs: resolveTime(times.endsAtMs, stored?.endsAtMs, nowMs),
  };
}

function saleFields({ fields, times }: SeedSale, stored: SaleRecord | undefined, nowMs: number): SaleFields {
  return {
    ...fields,
    opensAtMs: resolveTime(times.opensAtMs, stored?.opensAtMs, nowMs),
    closesAtMs: resolveTime(times.closesAtMs, stored?.closesAtMs, nowMs),
    refundUntilMs: resolveTime(times.refundUntilMs, stored?.refundUntilMs, nowMs),
  };
}

const refused = (reason: string): SeedOutcome => ({ outcome: 'refused', reason });
const inWords = (errors: readonly FieldError[]): string =>
  errors.map(({ pointer, detail }) => `${pointer.replace(/^\//, '')} ${detail}`).join('; ');

async function seedFestival(
  run: Run,
  festival: SeedFestival,
  organizerId: number | undefined,
  organizer: string | undefined,
): Promise<SeededFestival> {
  const { key } = festival;
  const outcome = await applyFestival(run, festival, organizerId, organizer);
  run.onProgress(`festival ${key}: ${describe(outcome)}`);
  const sales: SeededSale[] = [];
  for (const sale of festival.sales) {
    const result =
      outcome.outcome === 'refused' ? refused('its festival was refused') : await applySale(run, outcome.id, sale);
    run.onProgress(`sale ${key}/${sale.key}: ${describe(result)}`);
    sales.push({ key: sale.key, ...result });
  }
  return { key, ...outcome, sales };
}

const describe = (outcome: SeedOutcome): string =>
  outcome.outcome === 'refused' ? `refused: ${outcome.reason}` : `${outcome.outcome} (id ${outcome.id})`;

async function applyFestival(
  { mysql, clock, changes }: Run,
  festival: SeedFestival,
  organizerId: number | undefined,
  organizer: string | undefined,
): Promise<SeedOutcome> {
  const stored = await findFestivalBySeedKey(mysql, festival.key);
  const fields = festivalFields(festival, stored, clock.nowMs());
  if (stored === undefined && organizerId === undefined) {
    return refused(
      organizer === undefined ? 'there is no organizer account' : `${organizer} is not an organizer's account`,
    );
  }
  const result =
    stored === undefined
      ? await changes.createFestival({ organizerId: organizerId ?? 0, fields, seedKey: festival.key })
      : await changes.changeFestival(undefined, stored.id, fields);
  switch (result.status) {
    case 'done':
      return { outcome: outcomeOf(stored, result.changed), id: result.festival.id };
    case 'invalid':
      return refused(inWords(result.errors));
    case 'notFound':
    case 'forbidden':
      return refused('the festival was deleted meanwhile');
  }
}

async function applySale({ mysql, clock, changes }: Run, festivalId: number, sale: SeedSale): Promise<SeedOutcome> {
  const stored = await findSaleBySeedKey(mysql, festivalId, sale.key);
  const fields = saleFields(sale, stored, clock.nowMs());
  const result =
    stored === undefined
      ? await changes.createSale(undefined, { festivalId, fields, seedKey: sale.key })
      : await changes.changeSale(undefined, stored.id, fields);
  switch (result.status) {
    case 'done':
      return { outcome: outcomeOf(stored, result.changed), id: result.sale.id };
    case 'invalid':
      return refused(inWords(result.errors));
    case 'capacityInUse':
      return refused(
        `capacity ${fields.capacity} is too small: ticket ${result.lowestCapacity} was given out before, so it can be ${result.lowestCapacity} at least`,
      );
    case 'settled':
      return refused(`the sale has opened: ${result.members.join(', ')} cannot change any more`);
    case 'recovering':
      return refused('the sale has no state in Redis at the moment; start a server to restore it, then repeat');
    case 'notFound':
    case 'forbidden':
      return refused('the festival or the sale was deleted meanwhile');
  }
}

function outcomeOf(stored: object | undefined, changed: boolean): 'created' | 'updated' | 'unchanged' {
  if (stored === undefined) return 'created';
  return changed ? 'updated' : 'unchanged';
}

function summarise(festivals: readonly SeededFestival[]): SeedReport {
  const sales = festivals.flatMap((festival) => festival.sales);
  const count = (list: readonly SeedOutcome[], wanted: SeedOutcome['outcome']) =>
    list.filter(({ outcome }) => outcome === wanted).length;
  return {
    festivalsCreated: count(festivals, 'created'),
    festivalsUpdated: count(festivals, 'updated'),
    festivalsUnchanged: count(festivals, 'unchanged'),
    festivalsRefused: count(festivals, 'refused'),
    salesCreated: count(sales, 'created'),
    salesUpdated: count(sales, 'updated'),
    salesUnchanged: count(sales, 'unchanged'),
    salesRefused: count(sales, 'refused'),
    festivals,
  };
}
