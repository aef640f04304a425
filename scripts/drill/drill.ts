/** The drill: sell, back up, sell on and give back, lose the database, restore, replay, audit, compare. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Buyer, buy, cancel, type Deployment, signUp } from '../images/through-the-balancer.ts';
import { openDesk } from '../measuring/sale.ts';
import type { Stage } from '../measuring/stage.ts';
import { restoreBackup, takeBackup } from './backup.ts';
import { compareDatabases, renderComparison, type TableComparison } from './compare.ts';

export interface DrillOptions {
  /** Who buy before the backup; as many more, who have accounts by then, buy after it. */
  readonly buyers: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface DrillResult {
  /** Between the backup and its restore with the logs. */
  readonly withoutReplay: readonly TableComparison[];
  readonly restored: readonly TableComparison[];
  readonly auditExitCode: number | null;
  readonly seconds: { readonly restore: number; readonly replay: number };
}

const FEST = resolve(import.meta.dirname, '../../packages/cli/bin/fest.js');
/** Who sign up at once: passwords are hashed two at a time. */
const AT_ONCE = 8;

async function inTurn<Result>(count: number, work: (index: number) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

/** Nothing is under way any more that MySQL does not have. */
async function untilArchived(baseUrls: readonly string[], signal: AbortSignal): Promise<void> {
  const lagOf = async (url: string): Promise<number> => {
    const answer = await fetch(`${url}/health/ready`, { signal });
    return ((await answer.json()) as { applierLag: number }).applierLag;
  };
  while ((await Promise.all(baseUrls.map(lagOf))).some((lag) => lag > 0)) await sleep(250, undefined, { signal });
}

export async function carryOutDrill(stage: Stage, { buyers, say, signal }: DrillOptions): Promise<DrillResult> {
  const { state, paths } = stage.stack;
  const desk = await openDesk(stage, 'A festival that is restored', Date.now());
  const saleId = await desk.openSale({ capacity: 2 * buyers, nowMs: Date.now() });
  const at = (index: number): Deployment => ({ url: state.baseUrls[index % state.baseUrls.length] ?? '', saleId });
  const all = await inTurn(2 * buyers, (index) => signUp(at(index)));
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

  // What would be left of a deployment whose database is gone: the backup, the order logs, the gateway's statement.
  const logs = state.logDirs.map((log) => {
    const copy = join(directory, basename(log));
    cpSync(log, copy, { recursive: true });
    return copy;
  });
  const beganMs = performance.now();
  const mysqlUrl = await restoreBackup(backup, { serverUrl: state.mysqlUrl, name: 'fest_drill' });
  const restoredMs = performance.now();
  const withoutReplay = await compareDatabases(state.mysqlUrl, mysqlUrl);
  const env = { PATH: process.env.PATH, FEST_MYSQL_URL: mysqlUrl, FEST_REDIS_URL: state.redisUrl };
  const fest = (...args: readonly string[]): number | null => {
    say(`$ fest ${args.join(' ')}`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [FEST, ...args], {
      env,
      cwd: directory,
      encoding: 'utf8',
    });
    say(`${stdout}${stderr}`.trim());
    return status;
  };
  const replayBeganMs = performance.now();
  const replayed = fest('log', 'replay', ...logs, '--yes');
  if (replayed !== 0) throw new Error(`fest log replay ended with ${replayed}`);
  const replayedMs = performance.now();
  const auditExitCode = fest('audit', ...logs, '--gateway', paths.gateway);
  const restored = await compareDatabases(state.mysqlUrl, mysqlUrl);
  say(renderComparison(restored));
  const seconds = { restore: (restoredMs - beganMs) / 1_000, replay: (replayedMs - replayBeganMs) / 1_000 };
  return { withoutReplay, restored, auditExitCode, seconds };
}
