import type { LogPosition } from '@fest/server/features/archive/log-positions';
import type { MysqlPool } from '@fest/server/platform/mysql';
import type { Context } from '../../context.ts';
import { codeOf, FixableError, messageOf } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { reachEngine } from '../../local-stack/reach-engine.ts';
import type { Settings } from '../../settings.ts';

/** As many as a replay uses at once, and one to spare. */
const CONNECTIONS = 6;
const FIX =
  'Start it, or say where it runs: FEST_MYSQL_URL=mysql://user:password@host:3306/fest. `fest doctor` looks what is wrong.';

/** Codes of a schema that is not there, or older than this fest. */
const SCHEMA_CODES = new Set(['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR', 'ER_BAD_DB_ERROR']);

/** Does something with the MySQL of the settings. @throws FixableError when there is none, it is away, or has no tables */
export async function withArchive<Result>(
  settings: Settings,
  work: (pool: MysqlPool) => Promise<Result>,
): Promise<Result> {
  const { mysqlUrl } = settings;
  if (mysqlUrl === undefined) {
    throw new FixableError({
      what: 'It is not known which MySQL to use',
      why: `no stack runs in ${settings.directory}, and FEST_MYSQL_URL is not set`,
      fix:
        "A stack's own MySQL runs only while the stack does. `fest up` starts both, and its servers apply their logs to MySQL " +
        'by themselves: nothing is to be replayed for that.\n' +
        'For another MySQL, name it: FEST_MYSQL_URL=mysql://user:password@host:3306/fest',
      exitCode: EXIT.unreachable,
    });
  }
  await reachEngine('mysql', mysqlUrl.value, FIX);
  const { createMysqlPool } = await import('@fest/server/platform/mysql');
  const pool = createMysqlPool(mysqlUrl.value, CONNECTIONS);
  try {
    return await work(pool);
  } catch (error) {
    throw await explain(error);
  } finally {
    await pool.end();
  }
}

async function explain(error: unknown): Promise<unknown> {
  if (SCHEMA_CODES.has(codeOf(error) ?? '')) {
    return new FixableError({
      what: 'The database does not have the tables of this release',
      why: messageOf(error),
      fix: 'A server makes them when it starts: start one, then try again.',
      exitCode: EXIT.unreachable,
      cause: error,
    });
  }
  const { isStoreFailure } = await import('@fest/server/platform/problem-details');
  if (error instanceof FixableError || !isStoreFailure(error)) return error;
  return new FixableError({
    what: 'MySQL went away',
    why: messageOf(error),
    fix: 'What was done so far stays, and repeating is safe: try again when it is back. `fest doctor` looks what is wrong.',
    exitCode: EXIT.unreachable,
    cause: error,
  });
}

export type Positions =
  | { readonly reachable: true; readonly byLogId: ReadonlyMap<string, LogPosition> }
  | { readonly reachable: false; readonly why: string };

/** How far the logs are in MySQL. Logs can be looked at without it, so that it is away is told and not thrown. */
export async function findPositions(context: Context, settings: Settings): Promise<Positions> {
  try {
    const { listPositions } = await import('@fest/server/features/archive/log-positions');
    const positions = await withArchive(settings, listPositions);
    return { reachable: true, byLogId: new Map(positions.map((position) => [position.logId, position])) };
  } catch (error) {
    if (!(error instanceof FixableError)) throw error;
    const { what, why } = error.details;
    context.stderr.write(`MySQL was not asked how far the logs are applied. ${what}: ${why ?? ''}.\n`);
    return { reachable: false, why: error.message };
  }
}
