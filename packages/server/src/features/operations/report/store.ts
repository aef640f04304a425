/** What reports of sales are made from, in MySQL. Everything may be written twice. */
import type { OperationsEvent } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import type { MysqlPool } from '../../../platform/mysql.ts';
import { changeRows, inTransaction, type MysqlSession, selectRows } from '../../../platform/mysql-statements.ts';
import type { TallyFigures } from '../../../platform/sale-tallies.ts';
import type { SaleSample } from './sample.ts';
import { thin } from './thinning.ts';

export interface SampleRow {
  readonly saleId: number;
  readonly sample: SaleSample;
}

export async function writeSamples(mysql: MysqlSession, rows: readonly SampleRow[]): Promise<void> {
  if (rows.length === 0) return;
  const values = rows.map(({ saleId, sample }) => [
    saleId,
    sample.toMs,
    sample.fromMs,
    sample.complete ? 1 : 0,
    JSON.stringify(sample),
  ]);
  // Who was first has said it, unless the next one knows better. From left to right: `complete` last.
  await changeRows(
    mysql,
    `INSERT INTO sale_samples (sale_id, to_ms, from_ms, complete, sample) VALUES ?
     ON DUPLICATE KEY UPDATE from_ms = IF(VALUES(complete) > complete, VALUES(from_ms), from_ms),
       sample = IF(VALUES(complete) > complete, VALUES(sample), sample),
       complete = GREATEST(complete, VALUES(complete))`,
    [values],
  );
}

/** In order of time. A bounded number, by how they are written. */
export async function readSamples(mysql: MysqlSession, saleId: number): Promise<readonly SaleSample[]> {
  const rows = await selectRows<{ sample: string }>(
    mysql,
    'SELECT sample FROM sale_samples WHERE sale_id = ? ORDER BY to_ms LIMIT ?',
    [saleId, 2 * LIMITS.reportRows],
  );
  return rows.map(({ sample }) => JSON.parse(sample) as SaleSample);
}

/** Merges rows when there are too many. @param opensAtMs what follows it is kept as it is */
export async function thinSamples(mysql: MysqlPool, saleId: number, opensAtMs: number): Promise<void> {
  const [count] = await selectRows<{ number: number }>(
    mysql,
    'SELECT COUNT(*) AS number FROM sale_samples WHERE sale_id = ?',
    [saleId],
  );
  if ((count?.number ?? 0) <= LIMITS.reportRows) return;
  await inTransaction(mysql, async (connection) => {
    const rows = await readSamples(connection, saleId);
    const bounds = {
      atMost: LIMITS.reportRows,
      keepFromMs: opensAtMs - LIMITS.reportSampleMs,
      keepToMs: opensAtMs + LIMITS.reportOpeningMs,
    };
    const { gone, merged } = thin(rows, bounds);
    const replaced = [...gone, ...merged.map(({ toMs }) => toMs)];
    if (replaced.length === 0) return;
    await changeRows(connection, 'DELETE FROM sale_samples WHERE sale_id = ? AND to_ms IN (?)', [saleId, replaced]);
    await writeSamples(
      connection,
      merged.map((sample) => ({ saleId, sample })),
    );
  });
}

export interface TallyRow {
  readonly saleId: number;
  readonly processId: string;
  /** Of the report that says so: later ones have more. */
  readonly beat: number;
  readonly tally: TallyFigures;
}

export async function writeTallies(mysql: MysqlSession, rows: readonly TallyRow[], nowMs: number): Promise<void> {
  if (rows.length === 0) return;
  const values = rows.map(({ saleId, processId, beat, tally }) => [
    saleId,
    processId,
    beat,
    JSON.stringify(tally),
    nowMs,
  ]);
  // From left to right: the beat last. A report that was read earlier and comes later changes nothing.
  await changeRows(
    mysql,
    `INSERT INTO sale_tallies (sale_id, process_id, beat, tally, updated_at_ms) VALUES ?
     ON DUPLICATE KEY UPDATE tally = IF(VALUES(beat) >= beat, VALUES(tally), tally),
       updated_at_ms = IF(VALUES(beat) >= beat, VALUES(updated_at_ms), updated_at_ms),
       beat = GREATEST(beat, VALUES(beat))`,
    [values],
  );
}

export async function readTallies(mysql: MysqlSession, saleId: number): Promise<readonly TallyFigures[]> {
  const rows = await selectRows<{ tally: string }>(mysql, 'SELECT tally FROM sale_tallies WHERE sale_id = ? LIMIT ?', [
    saleId,
    LIMITS.talliesAdded,
  ]);
  return rows.map(({ tally }) => JSON.parse(tally) as TallyFigures);
}

export async function writeEvents(mysql: MysqlSession, events: readonly OperationsEvent[]): Promise<void> {
  if (events.length === 0) return;
  const values = events.map(({ id, at, kind, level, saleId, operatorId, text }) => [
    id,
    Date.parse(at),
    kind,
    level,
    saleId,
    operatorId,
    text,
  ]);
  await changeRows(
    mysql,
    `INSERT INTO fleet_events (event_id, at_ms, kind, level, sale_id, operator_id, text) VALUES ?
     ON DUPLICATE KEY UPDATE event_id = VALUES(event_id)`,
    [values],
  );
}

interface EventRow {
  readonly event_id: string;
  readonly at_ms: number;
  readonly kind: OperationsEvent['kind'];
  readonly level: OperationsEvent['level'];
  readonly sale_id: number | null;
  readonly operator_id: number | null;
  readonly text: string;
}

/** What concerns the sale or the whole fleet, without what operators did, which is in the history. Oldest first, at most `limit`. */
export async function readEvents(
  mysql: MysqlSession,
  saleId: number,
  { fromMs, toMs, limit }: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<readonly OperationsEvent[]> {
  const rows = await selectRows<EventRow>(
    mysql,
    `SELECT event_id, at_ms, kind, level, sale_id, operator_id, text FROM fleet_events
      WHERE at_ms >= ? AND at_ms <= ? AND kind <> 'action' AND (sale_id IS NULL OR sale_id = ?)
      ORDER BY at_ms, event_id LIMIT ?`,
    [fromMs, toMs, saleId, limit],
  );
  return rows.map((row) => ({
    id: row.event_id,
    at: new Date(row.at_ms).toISOString(),
    kind: row.kind,
    level: row.level,
    saleId: row.sale_id,
    operatorId: row.operator_id,
    text: row.text,
  }));
}

/** Deletes what no report needs any more; returns how many of the fullest table: call again while that is `LIMITS.purgeRows`. */
export async function purgeReports(mysql: MysqlSession, nowMs: number): Promise<number> {
  const beforeMs = nowMs - LIMITS.reportKeepMs;
  const purge = async (table: string, column: string): Promise<number> => {
    const sql = `DELETE FROM ${table} WHERE ${column} < ? ORDER BY ${column} LIMIT ?`;
    return (await changeRows(mysql, sql, [beforeMs, LIMITS.purgeRows])).affectedRows;
  };
  const samples = await purge('sale_samples', 'to_ms');
  const tallies = await purge('sale_tallies', 'updated_at_ms');
  return Math.max(samples, tallies, await purge('fleet_events', 'at_ms'));
}
