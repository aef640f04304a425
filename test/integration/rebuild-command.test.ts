/** `fest sale rebuild` and `fest log retire` against a server: a sale waits for the log of a server whose disk is gone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveCredentials } from '@fest/cli/credentials';
import { EXIT } from '@fest/cli/exit-codes';
import { main } from '@fest/cli/main';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { listen } from '../support/raw-http.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const LOST = '0f3c19d2'.padEnd(32, 'b');

integration('a sale that waits for a log of which there is no copy', () => {
  let server: TestApp;
  let folder: string;
  let url: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fest-rebuild-command-'));
    server = await buildTestApp();
    url = `http://127.0.0.1:${await listen(server)}`;
  });
  afterEach(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function fest(...args: readonly string[]) {
    const env = { HOME: folder, FEST_URL: url, FEST_MYSQL_URL: server.stores.mysqlUrl };
    const session = { email: 'o@example.com', accessToken: server.tokenFor(1, ['operator']), refreshToken: '' };
    saveCredentials(env, url, { ...session, expiresAtMs: Number.MAX_SAFE_INTEGER });
    const context = createFakeContext({ cwd: folder, env });
    return { context, ended: main(args, context) };
  }

  it('is frozen, is said to wait for it, and is open again once that log is given up', async () => {
    const sale = await server.createSale({ capacity: 5 });
    const buyer = await server.createAccount();
    await buy(server, buyer, sale.id, 2);
    await server.core.applier.drain(5_000);
    const { mysql, redis } = server.services;
    await changeRows(mysql, 'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)', [
      [LOST, 'server-9', 7, 1],
    ]);
    await redis.flushdb();
    await eventually(async () => {
      const { status } = await ask(server, buyer, 'GET', `/sales/${sale.id}`);
      return status === 503;
    }, 'the sale is frozen');

    const rebuild = fest('sale', 'rebuild', String(sale.id), '--yes');
    await eventually(async () => rebuild.context.text('stderr').includes('Still waiting'), 'it says so', 15_000);
    expect(rebuild.context.text('stderr')).toContain('Still waiting for the order log of server-9 (0f3c19d2…).');
    const retire = fest('log', 'retire', '0f3c19d2', '--lost', '--yes');
    expect(await retire.ended).toBe(EXIT.done);
    expect(retire.context.text('stdout')).toContain(`Sale ${sale.id} waits for it no more.`);
    expect(await rebuild.ended).toBe(EXIT.done);
    expect(rebuild.context.text('stdout')).toContain(`Sale ${sale.id} was built anew: epoch 2.`);
    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ sold: 2, available: 3 });
  }, 40_000);
});
