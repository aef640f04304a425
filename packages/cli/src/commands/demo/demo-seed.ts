/**
 * What a demo run seeds: the festival of `demo/festival.yaml`, with the sale that will be sold made for this run. The
 * first run in a folder takes the sale as it is called in the file; every later one adds a sale of its own, so that
 * there is always one with all its tickets.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createMysqlPool } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { FixableError, messageOf } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { DEMO_ADMISSION_SECONDS, DEMO_HOLD_SECONDS } from './plan.ts';

/** `demo/festival.yaml` of the repository; as far from the built command as from its source. */
export const DEMO_FILE = fileURLToPath(new URL('../../../../../demo/festival.yaml', import.meta.url));

/** Key of the sale in that file. */
export const DEMO_SALE_KEY = 'day-1';

/** 1, 2, 3 … → the key of that run's sale. */
export function runKey(run: number): string {
  return run === 1 ? DEMO_SALE_KEY : `${DEMO_SALE_KEY}-run-${run}`;
}

export function readDemoFile(): string {
  try {
    return readFileSync(DEMO_FILE, 'utf8');
  } catch (error) {
    throw new FixableError({
      what: 'The demo festival cannot be read',
      why: messageOf(error),
      fix: 'Run the demo from a complete clone of the repository.',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}

/** The text to seed in run `run`: short times, opened by hand. @throws {Error} when the file has no such sale */
export async function demoSeedText(text: string, run: number, tickets: number): Promise<string> {
  const { isMap, parseDocument, visit } = await import('yaml');
  const document = parseDocument(text);
  let found = false;
  visit(document, {
    Map(_, node) {
      if (!isMap(node) || node.get('key') !== DEMO_SALE_KEY) return;
      found = true;
      const name = String(node.get('name'));
      const changes = {
        key: runKey(run),
        name: run === 1 ? name : `${name}, run ${run}`,
        capacity: tickets,
        opensAt: '+1d',
        holdSeconds: DEMO_HOLD_SECONDS,
        admissionSeconds: DEMO_ADMISSION_SECONDS,
      };
      for (const [member, value] of Object.entries(changes)) node.set(member, value);
    },
  });
  if (!found) throw new Error(`${DEMO_FILE} has no sale with the key ${DEMO_SALE_KEY}`);
  return document.toString();
}

export interface SeededRun {
  readonly saleId: number;
  readonly festivalId: number;
}

/** Which run comes next in this stack: one more than there are sales of earlier runs. */
export async function findNextRun(mysqlUrl: string): Promise<number> {
  const rows = await select<{ runs: number }>(
    mysqlUrl,
    'SELECT COUNT(*) AS runs FROM sales WHERE seed_key = ? OR seed_key LIKE ?',
    [DEMO_SALE_KEY, `${DEMO_SALE_KEY}-run-%`],
  );
  return (rows[0]?.runs ?? 0) + 1;
}

/** The sale that was seeded for a run. @throws {Error} when there is none */
export async function getSeededRun(mysqlUrl: string, run: number): Promise<SeededRun> {
  const sql = 'SELECT id AS saleId, festival_id AS festivalId FROM sales WHERE seed_key = ? ORDER BY id DESC LIMIT 1';
  const [row] = await select<SeededRun>(mysqlUrl, sql, [runKey(run)]);
  if (row === undefined) throw new Error(`the sale ${runKey(run)} is not in MySQL after it was seeded`);
  return row;
}

async function select<Row>(mysqlUrl: string, sql: string, values: readonly string[]): Promise<Row[]> {
  const pool = createMysqlPool(mysqlUrl, 1);
  try {
    return await selectRows<Row>(pool, sql, values);
  } finally {
    await pool.end();
  }
}
