/** The readiness of a sale on stores of its own, which are set badly, and hang. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engines, startEngines } from '@fest/cli/local-stack/engines';
import type { ReadinessCheck, SaleReadiness } from '@fest/server/contract/operations';
import type { Sale } from '@fest/server/contract/schemas';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { whileHung } from '../support/hung-engine.ts';
import { integration } from '../support/integration.ts';
import { ask, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

integration('the readiness of a sale whose stores are badly set, or hang', () => {
  let server: TestApp;
  let operator: TestBuyer;
  let own: Engines;
  let directory: string;
  let sale: Sale;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fest-readiness-'));
    own = await startEngines({ directory, env: { PATH: process.env.PATH } });
    server = await buildTestApp({ engines: own, config: { mysqlPoolSize: 4 } });
    operator = await server.createAccount(['operator']);
    sale = await server.createSale({ opened: false });
  });
  afterAll(async () => {
    await server?.close();
    await own?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function readinessOf(saleId: number): Promise<SaleReadiness> {
    const { status, body } = await ask<SaleReadiness>(server, operator, 'GET', `/sales/${saleId}/readiness`);
    expect(status).toBe(200);
    return body;
  }

  async function checkOf(saleId: number, id: ReadinessCheck['id']): Promise<ReadinessCheck | undefined> {
    return (await readinessOf(saleId)).checks.find((check) => check.id === id);
  }

  async function withSetting<Result>(name: string, value: string, work: () => Promise<Result>): Promise<Result> {
    const { redis } = server.services;
    const [, before = ''] = (await redis.config('GET', name)) as string[];
    await redis.config('SET', name, value);
    try {
      return await work();
    } finally {
      await redis.config('SET', name, before);
    }
  }

  it('is not there when Redis may drop keys', async () => {
    const check = await withSetting('maxmemory-policy', 'allkeys-lru', () => checkOf(sale.id, 'redis'));
    expect(check).toMatchObject({ status: 'failed', found: expect.stringContaining('allkeys-lru') });
    expect(check?.remedy).toContain('noeviction');
  });

  it('is not there when Redis has no memory for a line', async () => {
    const check = await withSetting('maxmemory', '16mb', () => checkOf(sale.id, 'redisMemory'));
    expect(check).toMatchObject({ status: 'failed', remedy: expect.stringContaining('CONFIG SET maxmemory') });
  });

  it.each([
    ['MySQL', 'mysql', 'stock'],
    ['Redis', 'redis', 'state'],
  ] as const)(
    'is told within seconds while %s hangs',
    async (_, engine, unknown) => {
      const beganAtMs = performance.now();
      const { ready, checks } = await whileHung(own[engine], () => readinessOf(sale.id));
      expect(performance.now() - beganAtMs).toBeLessThan(6_000);
      expect(ready).toBe(false);
      const found = new Map(checks.map((check) => [check.id, check]));
      expect(found.get(engine)).toMatchObject({ status: 'failed', remedy: expect.any(String) });
      expect(found.get(unknown)).toMatchObject({ status: 'unknown', remedy: expect.any(String) });
      await eventually(async () => (await readinessOf(sale.id)).ready, 'it is ready again', 20_000);
    },
    40_000,
  );
});
