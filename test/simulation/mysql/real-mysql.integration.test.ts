/** What the server said to the simulated MySQL in a few runs, said to a real one: the same rows, the same refusals. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createMysqlPool, migrate } from '@fest/server/platform/mysql';
import mysql from 'mysql2/promise';
import { expect, it } from 'vitest';
import { engines, integration } from '../../support/integration.ts';
import type { Recorded } from './database.ts';

const SEEDS = 12;
const STEPS = 1_500;

type Line = Recorded | { readonly kind: 'seed'; readonly seed: number };

async function recordStatements(): Promise<readonly Line[]> {
  const script = fileURLToPath(new URL('./record-statements.ts', import.meta.url));
  const args = [script, '1', String(SEEDS), String(STEPS)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 28 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** An empty database with the server's tables; returns its URL. */
async function createDatabase(seed: number): Promise<string> {
  const url = new URL(engines().mysqlUrl);
  const name = `fest_simulated_${process.pid}_${seed}`;
  const connection = await mysql.createConnection({ uri: url.href });
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await connection.end();
  url.pathname = `/${name}`;
  await migrate(url.href);
  return url.href;
}

/** One connection a session, as in the simulation. */
class Replay {
  readonly #pool: mysql.Pool;
  readonly #connections = new Map<number, mysql.PoolConnection>();
  readonly differences: string[] = [];
  compared = 0;

  constructor(url: string) {
    this.#pool = createMysqlPool(url, 100);
  }

  async play(recorded: Recorded): Promise<void> {
    const { session } = recorded;
    const connection = this.#connections.get(session) ?? (await this.#pool.getConnection());
    this.#connections.set(session, connection);
    switch (recorded.kind) {
      case 'begin':
        return connection.beginTransaction();
      case 'commit':
        return connection.commit();
      case 'rollback':
        return connection.rollback();
      case 'close':
        // Its end takes effect when MySQL hears of it; here it has to be before the next statement.
        await connection.rollback();
        await connection.query('DO RELEASE_ALL_LOCKS()');
        connection.release();
        this.#connections.delete(session);
        return undefined;
      case 'query':
        return this.#query(connection, recorded);
    }
  }

  async end(): Promise<void> {
    for (const connection of this.#connections.values()) connection.destroy();
    await this.#pool.end();
  }

  async #query(connection: mysql.PoolConnection, recorded: Extract<Recorded, { kind: 'query' }>): Promise<void> {
    const { sql, parameters, unixSeconds, rows, affectedRows, code } = recorded;
    // What the simulation refuses by chance, a real MySQL has no reason to.
    if (code === 'ER_DATA_TOO_LONG') return;
    const expected = code ?? (isSelect(sql) ? normal(rows, sql) : affectedRows);
    let found: unknown;
    try {
      // Both go by the same clock.
      if (sql.includes('UNIX_TIMESTAMP()')) await connection.query('SET timestamp = ?', [unixSeconds]);
      const [result] = await connection.query<mysql.RowDataPacket[] | mysql.ResultSetHeader>(sql, [...parameters]);
      found = Array.isArray(result) ? normal(result, sql) : result.affectedRows;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      found = error.code;
    }
    this.compared += 1;
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      const what = `${sql.replaceAll(/\s+/g, ' ')} ${JSON.stringify(parameters).slice(0, 200)}`;
      this.differences.push(`${what}: ${JSON.stringify(found)} and simulated ${JSON.stringify(expected)}`);
    }
  }
}

function isSelect(sql: string): boolean {
  return sql.trimStart().startsWith('SELECT');
}

/** Without ORDER BY any order is right. Integers and decimals count as the same: mysql2 reads decimals as texts. */
function normal(rows: readonly object[], sql: string): readonly string[] {
  const texts = rows.map((row) => {
    const values = Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' ? String(value) : value,
    ]);
    return JSON.stringify(values.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  });
  return sql.includes('ORDER BY') ? texts : texts.sort();
}

integration('the simulated MySQL beside a real one', () => {
  it('answers every statement of a few runs the same', { timeout: 300_000 }, async () => {
    let replay: Replay | undefined;
    let compared = 0;
    for (const line of await recordStatements()) {
      if (line.kind === 'seed') {
        compared += replay?.compared ?? 0;
        await replay?.end();
        replay = new Replay(await createDatabase(line.seed));
      } else {
        await replay?.play(line);
        expect(replay?.differences).toEqual([]);
      }
    }
    await replay?.end();
    expect(compared).toBeGreaterThan(1_000);
  });
});
