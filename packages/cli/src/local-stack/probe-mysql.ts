import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { isRecord } from '../private-files.ts';
import { STACK_LIMITS } from './limits.ts';

export interface MysqlFacts {
  readonly flavour: 'mysql' | 'mariadb';
  readonly version: string;
}

/** Connects once, asks, and leaves. Throws when the database does not answer within the probe's time. */
export async function probeMysql(url: string): Promise<MysqlFacts> {
  const version = await withMysql(url, async (query) => {
    const [row] = await query('SELECT VERSION() AS version');
    return String(row?.version);
  });
  return { version, flavour: /mariadb/i.test(version) ? 'mariadb' : 'mysql' };
}

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** Runs statements over one short-lived connection. */
export async function withMysql<T>(url: string, work: (query: Query) => Promise<T>): Promise<T> {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection({ uri: url, connectTimeout: STACK_LIMITS.probeTimeoutMs });
  connection.on('error', () => {});
  try {
    return await work(async (sql) => {
      const [rows] = await connection.query({ sql, timeout: STACK_LIMITS.probeTimeoutMs });
      const list: readonly unknown[] = Array.isArray(rows) ? rows : [];
      return list.filter(isRecord);
    });
  } finally {
    connection.destroy();
  }
}

/** What is wrong with this database server for fest; undefined when it will do. */
export function findMysqlFault(facts: MysqlFacts): { readonly why: string; readonly fix: string } | undefined {
  const [major = 0, minor = 0] = facts.version.split('.').map((part) => Number.parseInt(part, 10));
  const [neededMajor, neededMinor] = facts.flavour === 'mariadb' ? [10, 6] : [8, 4];
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  const name = facts.flavour === 'mariadb' ? 'MariaDB' : 'MySQL';
  return {
    why: `it is ${name} ${facts.version}; fest needs MySQL 8.4 or MariaDB 10.6, or newer`,
    fix: `Install a newer ${name}.`,
  };
}

/** Throws for a database that answers but must not be used. */
export function assertMysqlUsable(facts: MysqlFacts): void {
  const fault = findMysqlFault(facts);
  if (fault === undefined) return;
  throw new FixableError({ what: 'This database cannot be used', ...fault, exitCode: EXIT.unreachable });
}
