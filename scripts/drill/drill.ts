/**
 * The drill: sell, back up, sell on and give back, lose the database and sell without one; then restore the backup into a new
 * database, restart the servers on it, which bring in what their order logs have, sell once more, and audit.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@fest/cli/exit-codes';
import { type Buyer, buy, cancel, type Deployment, signUp } from '../images/through-the-balancer.ts';
import { openDesk } from '../measuring/sale.ts';
import type { Stage } from '../measuring/stage.ts';
import { restoreBackup, takeBackup } from './backup.ts';
import { comparePictures, differs, renderComparison, type TableComparison, takePicture } from './compare.ts';
import { dropDatabase, festIn, inTurn, restartOn, untilArchived } from './deployment.ts';

export interface DrillOptions {
  /** Who buy before the backup; as many more, who have accounts by then, buy after it. */
  readonly buyers: number;
  /** The servers read it at each start. */
  readonly environmentFile: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface DrillResult {
  /** The lost database, as it was last, and the backup before a log was applied to it. */
  readonly withoutLogs: readonly TableComparison[];
  /** The lost database, and the new one when the servers had applied their logs; what was sold in between is taken out. */
  readonly restored: readonly TableComparison[];
  /** Of the audit after one more ticket. */
  readonly auditExitCode: number | null;
  readonly seconds: { readonly restore: number; readonly restart: number };
}

const NEW_NAME = 'fest_restored';

export async function carryOutDrill(stage: Stage, options: DrillOptions): Promise<DrillResult> {
  const { buyers, say, signal } = options;
  const { state, paths } = stage.stack;
  const desk = await openDesk(stage, 'A festival that is restored', Date.now());
  // One is sold while there is no database, and one on the new one.
  const saleId = await desk.openSale({ capacity: 2 * buyers + 2, nowMs: Date.now() });
  const at = (index: number): Deployment => ({ url: state.baseUrls[index % state.baseUrls.length] ?? '', saleId });
  const all = await inTurn(2 * buyers + 1, (index) => signUp(at(index)));
  const orders = await inTurn(buyers, (index) => buy(at(index), all[index]));
  say(`${orders.length} orders on ${state.baseUrls.length} servers`);

  const directory = join(paths.directory, 'drill');
  mkdirSync(directory);
  const backup = join(directory, 'backup.ndjson');
  const counts = await takeBackup(state.mysqlUrl, backup);
  say(`the backup has ${counts.orders} orders and ${counts.accounts} accounts`);

  const later = await inTurn(buyers, (index) => buy(at(index + 1), all[buyers + index]));
  const given = Math.ceil(buyers / 10);
  await inTurn(given, (index) => cancel(at(index), all[index] as Buyer, orders[index] ?? ''));
  await untilArchived(state.baseUrls, signal);
  say(`after it ${later.length} orders more, and ${given} of the first were given back`);

  // For the comparison only: nothing that follows reads it to bring anything back.
  const lost = await takePicture(state.mysqlUrl);
  await dropDatabase(state.mysqlUrl);
  say('the database is dropped, under the running servers');
  const meanwhile = await buy(at(0), all[2 * buyers]);
  say(`${meanwhile} was sold without one: it is in an order log only`);

  const beganMs = performance.now();
  const mysqlUrl = await restoreBackup(backup, { serverUrl: state.mysqlUrl, name: NEW_NAME });
  const restoredMs = performance.now();
  say(`the backup is in the new database ${NEW_NAME}`);
  const withoutLogs = comparePictures(lost, await takePicture(mysqlUrl));
  const fest = festIn(directory, { FEST_MYSQL_URL: mysqlUrl, FEST_REDIS_URL: state.redisUrl }, say);
  const wouldBe = fest('log', 'replay', ...state.logDirs, '--dry-run', '--live');
  if (wouldBe === null) throw new Error('fest log replay --dry-run was killed');
  const restartedAtMs = performance.now();
  await restartOn(stage, { environmentFile: options.environmentFile, mysqlUrl, say, signal });
  await untilArchived(state.baseUrls, signal);
  // An order whose ticket another server's log gives back is refused while that log is not applied yet: docs/runbooks/restore.md, step 5.
  if (fest('log', 'failed') === null || fest('log', 'failed', '--retry') !== EXIT.done)
    throw new Error('records stay refused');
  const seconds = {
    restore: (restoredMs - beganMs) / 1_000,
    restart: (performance.now() - restartedAtMs) / 1_000,
  };
  const restored = comparePictures(lost, await takePicture(mysqlUrl)).map((each) => withoutSold(each, meanwhile));

  const last = await buy(at(1));
  await untilArchived(state.baseUrls, signal);
  say(`${last} was sold on the new one, to a buyer who signed up there`);
  const auditExitCode = fest('audit', ...state.logDirs, '--gateway', paths.gateway);
  say(renderComparison(restored));
  return { withoutLogs, restored, auditExitCode, seconds };
}

/**
 * The comparison without what came after the picture was taken: the order that was sold without a database, which the new one must
 * have, and the positions, which its log moved.
 */
export function withoutSold(comparison: TableComparison, orderId: string): TableComparison {
  const { table, missing, surplus } = comparison;
  if (table === 'orders' || table === 'tickets') {
    const added = surplus.filter((row) => row.includes(JSON.stringify(orderId)));
    if (added.length === 1) return { ...comparison, surplus: surplus.filter((row) => !added.includes(row)) };
    return { ...comparison, missing: [...missing, `${added.length} rows of ${orderId}, which has one ticket`] };
  }
  return table === 'applier_positions' ? withoutProgress(comparison) : comparison;
}

/** A position that moved on is no difference; one that fell behind, or whose log is another, is. */
function withoutProgress(comparison: TableComparison): TableComparison {
  const parse = (row: string) => {
    const [log, server, lsn, ...rest] = JSON.parse(row) as readonly unknown[];
    return { same: JSON.stringify([log, server, rest]), lsn: Number(lsn) };
  };
  const movedOn = (older: string, newer: string): boolean => {
    const [before, after] = [parse(older), parse(newer)];
    return before.same === after.same && after.lsn >= before.lsn;
  };
  const { missing, surplus } = comparison;
  return {
    ...comparison,
    missing: missing.filter((older) => !surplus.some((newer) => movedOn(older, newer))),
    surplus: surplus.filter((newer) => !missing.some((older) => movedOn(older, newer))),
  };
}

export function differing(comparisons: readonly TableComparison[]): readonly string[] {
  return comparisons.filter(differs).map(({ table }) => table);
}
