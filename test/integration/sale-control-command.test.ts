/** `fest sale …` of an operator against a server: what is refused, what is planned, what is recorded, what is taken back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveCredentials } from '@fest/cli/credentials';
import { EXIT } from '@fest/cli/exit-codes';
import { main } from '@fest/cli/main';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import { saleKeys } from '@fest/server/redis/keys';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { listen } from '../support/raw-http.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

integration('an operator at a terminal', () => {
  let server: TestApp;
  let operator: TestBuyer;
  let folder: string;
  let url: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fest-sale-control-'));
    server = await buildTestApp();
    operator = await server.createAccount(['operator'], 'Ada');
    url = `http://127.0.0.1:${await listen(server)}`;
  });
  afterEach(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function fest(words: string) {
    const env = { HOME: folder, FEST_URL: url };
    const session = { email: 'ada@example.com', accessToken: operator.token, refreshToken: '' };
    saveCredentials(env, url, { ...session, expiresAtMs: Number.MAX_SAFE_INTEGER });
    const context = createFakeContext({ cwd: folder, env });
    const exitCode = await main(words.split(' '), context);
    return { exitCode, stdout: context.text('stdout'), stderr: context.text('stderr') };
  }

  async function stateOf(saleId: number) {
    const { phase, snapshot } = (await server.core.live.refresh(saleId)) ?? {};
    return { phase, mode: snapshot?.mode, perSecond: snapshot?.perSecond, maxActive: snapshot?.maxActive };
  }

  it('opens a sale that is ready', async () => {
    const { id } = await server.createSale({ opened: false });
    expect(await fest(`sale check ${id}`)).toMatchObject({ exitCode: EXIT.done });
    const opened = await fest(`sale open ${id} --yes`);
    expect(opened).toMatchObject({ exitCode: EXIT.done, stdout: expect.stringMatching(/phase +open\n/) });
    expect(opened.stderr).toContain(`Plan: open sale ${id} “Day 1”\n  phase`);
  });

  it('is refused a sale whose stock was tampered with, and told how to mend it; --force opens it and is recorded', async () => {
    const { id } = await server.createSale({ opened: false });
    await server.services.redis.hset(saleKeys.sale(id), { available: 99 });
    const refused = await fest(`sale open ${id} --yes`);
    expect(refused.exitCode).toBe(EXIT.checkFailed);
    expect(refused.stderr).toContain('stock: 99 available + 0 held + 0 sold is not the capacity, 100');
    expect(refused.stderr).toContain(`→ Build the stock anew from what is sold: fest sale rebuild ${id}`);
    expect(await stateOf(id)).toMatchObject({ phase: 'scheduled' });

    const forced = await fest(`sale open ${id} --yes --force`);
    expect(forced.exitCode).toBe(EXIT.done);
    expect(forced.stderr).toContain('  stock: 99 available');
    expect(await stateOf(id)).toMatchObject({ phase: 'open' });
    const { stdout } = await fest(`sale history ${id}`);
    expect(stdout).toMatch(/Ada +phase +scheduled +open +stock\n$/);
  });

  it('mends it by the remedy, and opens it then', async () => {
    const { id } = await server.createSale({ opened: false });
    await server.services.redis.hset(saleKeys.sale(id), { available: 99 });
    expect(await fest(`sale rebuild ${id} --yes`)).toMatchObject({ exitCode: EXIT.done });
    expect(await fest(`sale open ${id} --yes`)).toMatchObject({ exitCode: EXIT.done });
    expect(await stateOf(id)).toMatchObject({ phase: 'open' });
  });

  it('changes the rate as planned, and takes that and a pause back', async () => {
    const { id } = await server.createSale({ opened: false });
    const before = await stateOf(id);
    const dry = await fest(`sale rate ${id} --mode auto --max-active 80 --dry-run --json`);
    const { plan } = JSON.parse(dry.stdout);
    expect(await stateOf(id)).toEqual(before);
    expect(await fest(`sale rate ${id} --mode auto --max-active 80 --yes`)).toMatchObject({ exitCode: EXIT.done });
    expect(await stateOf(id)).toEqual({ phase: 'scheduled', ...plan.to });
    expect(await fest(`sale undo ${id} --yes`)).toMatchObject({ exitCode: EXIT.done });
    expect(await stateOf(id)).toEqual(before);

    await fest(`sale open ${id} --yes`);
    await fest(`sale pause ${id} --yes`);
    expect(await stateOf(id)).toMatchObject({ phase: 'paused' });
    const undone = await fest(`sale undo ${id} --yes`);
    expect(undone.stdout).toMatch(/^Taken back: phase open → paused by Ada at /);
    expect(await stateOf(id)).toMatchObject({ phase: 'open' });

    await fest(`sale close ${id} --confirm ${id}`);
    expect(await fest(`sale undo ${id} --yes`)).toMatchObject({
      exitCode: EXIT.refused,
      stderr: expect.stringContaining('a closing is for good'),
    });
    const { items } = JSON.parse((await fest(`sale history ${id} --json`)).stdout);
    const changes = (items as { from: { phase?: string }; to: { phase?: string } }[]).map(({ from, to }) => [from, to]);
    expect(changes).toEqual([
      [{ phase: 'open' }, { phase: 'closed' }],
      [{ phase: 'paused' }, { phase: 'open' }],
      [{ phase: 'open' }, { phase: 'paused' }],
      [{ phase: 'scheduled' }, { phase: 'open' }],
      [plan.to, plan.from],
      [plan.from, plan.to],
    ]);
  });
});
