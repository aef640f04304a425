/** The sale of a run: small, so that everything runs out. */
import type { Random } from '../engine/random.ts';
import { type Database, Session } from '../mysql/database.ts';

export const START_MS = 1_700_000_000_000;
export const SALE_ID = 1;
/** Later than any run ends, sooner than a clock that is an hour ahead. */
export const CLOSES_MS = START_MS + 3_000_000;
export const CURRENCY = 'EUR';
const FESTIVAL_ID = 1;
const ORGANIZER_ID = 1;

export interface SaleFacts {
  readonly capacity: number;
  readonly price: number;
  readonly limitPerBuyer: number;
  readonly rejoin: 'keep' | 'tail';
  readonly holdSeconds: number;
  readonly admissionSeconds: number;
  readonly perSecond: number;
  readonly maxActive: number;
}

export function drawSale(random: Random): SaleFacts {
  return {
    capacity: random.pick([random.integer(2, 5), random.integer(6, 15), random.integer(20, 40)]),
    price: 100 * random.integer(1, 9),
    limitPerBuyer: random.integer(1, 4),
    rejoin: random.pick(['keep', 'keep', 'tail']),
    holdSeconds: random.pick([5, 5, 8, 20]),
    admissionSeconds: random.pick([5, 5, 8, 20]),
    perSecond: random.pick([20, 50, 200]),
    maxActive: random.pick([3, 10, 50]),
  };
}

/** The rows that are there before the first server starts. */
export function insertSale(database: Database, sale: SaleFacts): void {
  const session = new Session();
  const insert = (table: string, row: Readonly<Record<string, string | number>>): void => {
    const columns = Object.keys(row);
    database.execute(session, `INSERT INTO ${table} (${columns.join(', ')}) VALUES (?)`, [Object.values(row)]);
  };
  insert('accounts', { id: ORGANIZER_ID, name: 'organizer', roles: 'organizer', created_at_ms: START_MS });
  insert('festivals', {
    id: FESTIVAL_ID,
    organizer_id: ORGANIZER_ID,
    title: 'festival',
    description: '',
    venue: '',
    starts_at_ms: START_MS + 1e10,
    ends_at_ms: START_MS + 2e10,
    created_at_ms: START_MS,
  });
  insert('sales', {
    id: SALE_ID,
    festival_id: FESTIVAL_ID,
    name: 'sale',
    price: sale.price,
    currency: CURRENCY,
    capacity: sale.capacity,
    limit_per_buyer: sale.limitPerBuyer,
    opens_at_ms: START_MS - 1000,
    closes_at_ms: CLOSES_MS,
    refund_until_ms: START_MS + 1e9,
    rejoin: sale.rejoin,
    hold_seconds: sale.holdSeconds,
    admission_seconds: sale.admissionSeconds,
    per_second: sale.perSecond,
    max_active: sale.maxActive,
    created_at_ms: START_MS,
  });
}
