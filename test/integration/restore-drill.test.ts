/** A database that is lost comes again from its backup and the order log: the same rows, and an audit without a difference. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '@fest/cli/exit-codes';
import { main } from '@fest/cli/main';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, restoreBackup, takeBackup } from '../../scripts/drill/backup.ts';
import { compareDatabases } from '../../scripts/drill/compare.ts';
import { differing as tablesOf } from '../../scripts/drill/drill.ts';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

let server: TestApp;
let folder: string;
let log: string;
let restoredUrl: string;
/** Orders when the backup was taken. */
const BEFORE = 6;
const AFTER = 5;

async function fest(...args: readonly string[]): Promise<{ exitCode: number; said: string }> {
  const { redisUrl, gatewayDirectory } = server.stores;
  const env = { FEST_REDIS_URL: redisUrl, FEST_MYSQL_URL: restoredUrl, FEST_GATEWAY_DIR: gatewayDirectory };
  const context = createFakeContext({ cwd: folder, env, nowMs: Date.now });
  const exitCode = await main(args, context);
  return { exitCode, said: context.text('stdout') + context.text('stderr') };
}

async function differing(): Promise<readonly string[]> {
  return tablesOf(await compareDatabases(server.stores.mysqlUrl, restoredUrl));
}

async function inRestored(sql: string): Promise<void> {
  const connection = await connect(restoredUrl);
  await connection.query(sql);
  await connection.end();
}

beforeAll(async () => {
  server = await buildTestApp();
  folder = mkdtempSync(join(tmpdir(), 'fest-drill-'));
  log = join(folder, 'log');
  const { id } = await server.createSale({ capacity: 100, limitPerBuyer: 4 });
  const buyers = await Promise.all(Array.from({ length: BEFORE + AFTER }, () => server.createAccount()));
  const orders = await Promise.all(buyers.slice(0, BEFORE).map((buyer) => buy(server, buyer, id, 2)));
  const archived = (): Promise<void> =>
    eventually(async () => server.core.applier.lag === 0, 'MySQL to have all orders');
  await archived();
  const backup = join(folder, 'backup.ndjson');
  expect(await takeBackup(server.stores.mysqlUrl, backup)).toMatchObject({ orders: BEFORE, tickets: 2 * BEFORE });

  await Promise.all(buyers.slice(BEFORE).map((buyer) => buy(server, buyer, id, 1)));
  const [first] = buyers as [TestBuyer];
  const path = `/orders/${orders[0]?.orderId}`;
  await ask(server, first, 'POST', `${path}/cancel`);
  const statusOf = async (): Promise<unknown> => (await ask(server, first, 'GET', path)).body.status;
  await eventually(async () => (await statusOf()) === 'cancelled', 'the order to be cancelled');
  await archived();

  cpSync(server.stores.logDirectory, log, { recursive: true });
  const name = `fest_test_${randomBytes(6).toString('hex')}`;
  restoredUrl = await restoreBackup(backup, { serverUrl: server.stores.mysqlUrl, name });
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

integration('a database from a backup', () => {
  test('lacks what was sold and given back since, and the audit says so', async () => {
    expect(await differing()).toEqual(
      expect.arrayContaining(['applier_positions', 'cancelled_orders', 'orders', 'tickets']),
    );
    const { exitCode, said } = await fest('audit', log, '--wait', '0');
    expect([EXIT.checkFailed, EXIT.partlyDone]).toContain(exitCode);
    expect(said).toMatch(/log replay|behind/);
  });

  test('equals the lost one when the order log was replayed, and the audit is clean', async () => {
    const replayed = await fest('log', 'replay', log, '--yes');
    expect(replayed).toMatchObject({ exitCode: EXIT.done });
    expect(await differing()).toEqual([]);
    expect(await fest('audit', log)).toMatchObject({ exitCode: EXIT.done });
  });

  test('still equals it when the log is replayed once more', async () => {
    expect((await fest('log', 'replay', log, '--yes')).exitCode).toBe(EXIT.done);
    expect(await differing()).toEqual([]);
  });

  test.each([
    ['an amount', 'UPDATE orders SET amount = amount + 1 LIMIT 1', ['orders']],
    ['a ticket that is gone', 'DELETE FROM tickets LIMIT 1', ['tickets']],
    ['an account', "UPDATE accounts SET name = 'Somebody Else' LIMIT 1", ['accounts']],
    ['a table that is gone', 'DROP TABLE operator_actions', ['operator_actions']],
    ['a table too many', 'CREATE TABLE zebras (id INT PRIMARY KEY)', ['zebras']],
  ])('does not equal it with another %s, until it is put right', async (_, sql, tables) => {
    const before = join(folder, `${randomBytes(4).toString('hex')}.ndjson`);
    await takeBackup(restoredUrl, before);
    const whole = restoredUrl;
    await inRestored(sql);
    expect(await differing()).toEqual(tables);
    restoredUrl = await restoreBackup(before, {
      serverUrl: whole,
      name: `fest_test_${randomBytes(6).toString('hex')}`,
    });
    expect(await differing()).toEqual([]);
  });
});
