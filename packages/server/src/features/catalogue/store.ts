/** Festivals and sales in MySQL. */
import type { RejoinRule } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import { changeRows, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import type { FestivalFields, FestivalRecord, FestivalWithSalesRecord, SaleFields } from './catalogue.ts';
import type { SaleRecord } from './sale-record.ts';

interface FestivalRow {
  readonly id: number;
  readonly organizer_id: number;
  readonly title: string;
  readonly description: string;
  readonly venue: string;
  readonly starts_at_ms: number;
  readonly ends_at_ms: number;
}

interface SaleRow {
  readonly id: number;
  readonly festival_id: number;
  readonly organizer_id: number;
  readonly name: string;
  readonly price: number;
  readonly currency: string;
  readonly capacity: number;
  readonly limit_per_buyer: number;
  readonly opens_at_ms: number;
  readonly closes_at_ms: number;
  readonly refund_until_ms: number;
  readonly rejoin: RejoinRule;
  readonly hold_seconds: number;
  readonly admission_seconds: number;
  readonly version: number;
}

const FESTIVAL = 'SELECT id, organizer_id, title, description, venue, starts_at_ms, ends_at_ms FROM festivals';
const SALE = `SELECT s.id, s.festival_id, f.organizer_id, s.name, s.price, s.currency, s.capacity, s.limit_per_buyer,
  s.opens_at_ms, s.closes_at_ms, s.refund_until_ms, s.rejoin, s.hold_seconds, s.admission_seconds, s.version
  FROM sales s JOIN festivals f ON f.id = s.festival_id`;

function toFestival(row: FestivalRow): FestivalRecord {
  return {
    id: row.id,
    organizerId: row.organizer_id,
    title: row.title,
    description: row.description,
    venue: row.venue,
    startsAtMs: row.starts_at_ms,
    endsAtMs: row.ends_at_ms,
  };
}

function toSale(row: SaleRow): SaleRecord {
  return {
    id: row.id,
    festivalId: row.festival_id,
    organizerId: row.organizer_id,
    name: row.name,
    price: row.price,
    currency: row.currency,
    capacity: row.capacity,
    limitPerBuyer: row.limit_per_buyer,
    opensAtMs: row.opens_at_ms,
    closesAtMs: row.closes_at_ms,
    refundUntilMs: row.refund_until_ms,
    rejoin: row.rejoin,
    holdSeconds: row.hold_seconds,
    admissionSeconds: row.admission_seconds,
    version: row.version,
  };
}

export async function findSale(mysql: MysqlSession, id: number): Promise<SaleRecord | undefined> {
  const [row] = await selectRows<SaleRow>(mysql, `${SALE} WHERE s.id = ?`, [id]);
  return row && toSale(row);
}

/** Locks the sale and its festival until the end of the transaction. */
export async function lockSale(connection: MysqlSession, id: number): Promise<SaleRecord | undefined> {
  const [row] = await selectRows<SaleRow>(connection, `${SALE} WHERE s.id = ? FOR UPDATE`, [id]);
  return row && toSale(row);
}

/** All sales of a festival by id: at most `LIMITS.salesPerFestival`. */
export async function listSales(mysql: MysqlSession, festivalId: number): Promise<readonly SaleRecord[]> {
  const sql = `${SALE} WHERE s.festival_id = ? ORDER BY s.id LIMIT ?`;
  return (await selectRows<SaleRow>(mysql, sql, [festivalId, LIMITS.salesPerFestival])).map(toSale);
}

export async function listSalesClosingAfter(mysql: MysqlSession, timeMs: number): Promise<readonly SaleRecord[]> {
  const sql = `${SALE} WHERE s.closes_at_ms > ? ORDER BY s.id LIMIT ?`;
  return (await selectRows<SaleRow>(mysql, sql, [timeMs, LIMITS.followedSales])).map(toSale);
}

/** What Redis sells by, as far as a server sees it there. */
export type SaleSettings = Pick<
  SaleRecord,
  'id' | 'version' | 'capacity' | 'price' | 'limitPerBuyer' | 'opensAtMs' | 'closesAtMs' | 'admissionSeconds'
>;

/** In one statement. Sales that are not there any more are left out. */
export async function listSettings(mysql: MysqlSession, ids: readonly number[]): Promise<readonly SaleSettings[]> {
  if (ids.length === 0) return [];
  return selectRows<SaleSettings>(
    mysql,
    `SELECT id, version, capacity, price, limit_per_buyer AS limitPerBuyer, opens_at_ms AS opensAtMs,
       closes_at_ms AS closesAtMs, admission_seconds AS admissionSeconds FROM sales WHERE id IN (?)`,
    [ids],
  );
}

export async function updateSaleVersion(connection: MysqlSession, id: number, version: number): Promise<void> {
  await changeRows(connection, 'UPDATE sales SET version = ? WHERE id = ?', [version, id]);
}

export async function findFestival(mysql: MysqlSession, id: number): Promise<FestivalRecord | undefined> {
  const [row] = await selectRows<FestivalRow>(mysql, `${FESTIVAL} WHERE id = ?`, [id]);
  return row && toFestival(row);
}

export async function lockFestival(connection: MysqlSession, id: number): Promise<FestivalRecord | undefined> {
  const [row] = await selectRows<FestivalRow>(connection, `${FESTIVAL} WHERE id = ? FOR UPDATE`, [id]);
  return row && toFestival(row);
}

export async function findFestivalWithSales(
  mysql: MysqlSession,
  id: number,
): Promise<FestivalWithSalesRecord | undefined> {
  const festival = await findFestival(mysql, id);
  return festival && { festival, sales: await listSales(mysql, id) };
}

/** Newest first; `beforeId` is the last id of the page before. */
export async function listFestivals(
  mysql: MysqlSession,
  { limit, beforeId }: { readonly limit: number; readonly beforeId: number | undefined },
): Promise<readonly FestivalRecord[]> {
  const where = beforeId === undefined ? '' : 'WHERE id < ?';
  const values = beforeId === undefined ? [limit] : [beforeId, limit];
  return (await selectRows<FestivalRow>(mysql, `${FESTIVAL} ${where} ORDER BY id DESC LIMIT ?`, values)).map(
    toFestival,
  );
}

export interface NewFestival {
  readonly organizerId: number;
  readonly fields: FestivalFields;
  /** The festival's key in a seed file; undefined for one made through the API. */
  readonly seedKey: string | undefined;
}

export async function insertFestival(
  mysql: MysqlSession,
  { organizerId, fields, seedKey }: NewFestival,
  nowMs: number,
): Promise<FestivalRecord> {
  const { insertId } = await changeRows(
    mysql,
    `INSERT INTO festivals (organizer_id, seed_key, title, description, venue, starts_at_ms, ends_at_ms, created_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      organizerId,
      seedKey ?? null,
      fields.title,
      fields.description,
      fields.venue,
      fields.startsAtMs,
      fields.endsAtMs,
      nowMs,
    ],
  );
  return { id: insertId, organizerId, ...fields };
}

export async function updateFestival(mysql: MysqlSession, festival: FestivalRecord): Promise<void> {
  const { id, title, description, venue, startsAtMs, endsAtMs } = festival;
  await changeRows(
    mysql,
    'UPDATE festivals SET title = ?, description = ?, venue = ?, starts_at_ms = ?, ends_at_ms = ? WHERE id = ?',
    [title, description, venue, startsAtMs, endsAtMs, id],
  );
}

export interface NewSale {
  readonly festival: FestivalRecord;
  readonly fields: SaleFields;
  /** The sale's key in a seed file; undefined for one made through the API. */
  readonly seedKey: string | undefined;
}

export async function insertSale(
  mysql: MysqlSession,
  { festival, fields, seedKey }: NewSale,
  nowMs: number,
): Promise<SaleRecord> {
  const { insertId } = await changeRows(
    mysql,
    `INSERT INTO sales (festival_id, seed_key, name, price, currency, capacity, limit_per_buyer, opens_at_ms, closes_at_ms,
       refund_until_ms, rejoin, hold_seconds, admission_seconds, per_second, max_active, created_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      festival.id,
      seedKey ?? null,
      fields.name,
      fields.price,
      fields.currency,
      fields.capacity,
      fields.limitPerBuyer,
      fields.opensAtMs,
      fields.closesAtMs,
      fields.refundUntilMs,
      fields.rejoin,
      fields.holdSeconds,
      fields.admissionSeconds,
      LIMITS.perSecondDefault,
      LIMITS.maxActiveDefault,
      nowMs,
    ],
  );
  return { id: insertId, festivalId: festival.id, organizerId: festival.organizerId, version: 1, ...fields };
}

export async function updateSale(mysql: MysqlSession, sale: SaleRecord): Promise<void> {
  await changeRows(
    mysql,
    `UPDATE sales SET name = ?, price = ?, currency = ?, capacity = ?, limit_per_buyer = ?, opens_at_ms = ?,
       closes_at_ms = ?, refund_until_ms = ?, rejoin = ?, hold_seconds = ?, admission_seconds = ?, version = ?
      WHERE id = ?`,
    [
      sale.name,
      sale.price,
      sale.currency,
      sale.capacity,
      sale.limitPerBuyer,
      sale.opensAtMs,
      sale.closesAtMs,
      sale.refundUntilMs,
      sale.rejoin,
      sale.holdSeconds,
      sale.admissionSeconds,
      sale.version,
      sale.id,
    ],
  );
}

/** True when the archive knows that one of the festival's sales was opened, paused, closed or paid for. */
export async function hasUsedSale(mysql: MysqlSession, festivalId: number): Promise<boolean> {
  const rows = await selectRows(
    mysql,
    `SELECT 1 FROM sales s
      WHERE s.festival_id = ? AND (s.phase <> 'scheduled' OR s.phase_seq > 0
         OR EXISTS (SELECT 1 FROM orders o WHERE o.sale_id = s.id))
      LIMIT 1`,
    [festivalId],
  );
  return rows.length > 0;
}

export async function deleteFestival(mysql: MysqlSession, id: number): Promise<void> {
  await changeRows(mysql, 'DELETE FROM sales WHERE festival_id = ?', [id]);
  await changeRows(mysql, 'DELETE FROM festivals WHERE id = ?', [id]);
}

// --- seed files ------------------------------------------------------------------------------------------------------

export async function findFestivalBySeedKey(mysql: MysqlSession, seedKey: string): Promise<FestivalRecord | undefined> {
  const [row] = await selectRows<FestivalRow>(mysql, `${FESTIVAL} WHERE seed_key = ?`, [seedKey]);
  return row && toFestival(row);
}

export async function findSaleBySeedKey(
  mysql: MysqlSession,
  festivalId: number,
  seedKey: string,
): Promise<SaleRecord | undefined> {
  const sql = `${SALE} WHERE s.festival_id = ? AND s.seed_key = ?`;
  const [row] = await selectRows<SaleRow>(mysql, sql, [festivalId, seedKey]);
  return row && toSale(row);
}
