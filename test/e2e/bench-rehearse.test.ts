/** `fest bench rehearse` as an operator starts it: the built command, the real k6, real servers with a knee that was planted. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { endBenches, newestSales, PROMPT_GATEWAY, saidBy, startBench } from '../support/bench-run.ts';
import { withK6 } from '../support/k6.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

/** Holds are slow while more than so many have joined within a second. */
const KNEE = 12;
const SMALL = ['--seconds', '3', '--minutes', '5', '--json'];

withK6('fest bench rehearse', () => {
  let stack: SpawnedStack;

  beforeAll(async () => {
    stack = await spawnStack([], PROMPT_GATEWAY);
  });

  afterEach(endBenches);

  afterAll(async () => {
    await stack?.stop();
  });

  it('finds the knee that was planted, proposes an admission, and sets it for a sale', async () => {
    const [upstream = ''] = stack.state().baseUrls;
    const joins: number[] = [];
    const isSlow = (method: string, path: string): boolean => {
      const now = performance.now();
      if (method === 'POST' && path.endsWith('/queue')) joins.push(now);
      while ((joins[0] ?? now) < now - 1_000) joins.shift();
      return path.endsWith('/holds') && joins.length > KNEE;
    };
    const proxy = await startSlowProxy({ upstream, isSlow, delayMs: 1_500 });
    const sale = await stack.openSale({ holdSeconds: 60 }, { perSecond: 1, maxActive: 1 });
    try {
      const load = ['--from', '8', '--to', '40', '--steps', '11', '--target', proxy.url];
      const args = ['rehearse', ...load, ...SMALL, '--inside', '60', '--apply', String(sale.id), '--yes'];
      const { exitCode, stdout, stderr } = await startBench(stack.directory, args).ended;
      expect(stderr).toContain(`the admission of sale ${sale.id} “Day 1”`);
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ interrupted: false, faults: [], audit: { status: 'clean' }, notApplied: null });
      const { knee, steps, proposal } = report;
      expect(knee.kind, stderr).toBe('found');
      expect(exitCode, stderr).toBe(knee.settled ? 0 : 8);
      expect(knee.perSecond).toBeGreaterThanOrEqual(KNEE - 4);
      expect(knee.perSecond).toBeLessThanOrEqual(KNEE + 4);
      expect(steps[0].part).toBe('warmUp');
      const bends = steps.filter(({ bend }: { readonly bend: string | null }) => bend !== null);
      expect(bends[0].bend).toMatch(/p95 of hold was [12],\d{3} ms, above/);
      // The climb believes a bend when it comes again.
      expect(bends[1].perSecond).toBe(bends[0].perSecond);
      const inside = proposal.perSecond * 60;
      expect(proposal.perSecond).toBe(Math.max(1, Math.floor(0.8 * knee.low)));
      expect(proposal.maxActive).toBe(Math.min(1_000, Math.ceil(inside + 3 * Math.sqrt(inside))));
      const set = { saleId: sale.id, mode: 'fixed', perSecond: proposal.perSecond, maxActive: proposal.maxActive };
      expect(report.applied).toMatchObject(set);
      const path = `/api/v1/sales/${sale.id}/admission`;
      expect(await stack.call('GET', path, await stack.signIn('operator'))).toMatchObject(set);
      const { file, applied, notApplied, ...told } = report;
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(told);
      expect(readFileSync(file.replace(/json$/, 'md'), 'utf8')).toContain(`--per-second ${proposal.perSecond}`);
    } finally {
      await proxy.close();
    }
  });

  it('ends at once when more was sold than there is, and proposes nothing', async () => {
    const run = startBench(stack.directory, ['rehearse', '--from', '20', ...SMALL, '--seconds', '6']);
    await saidBy(run, /running: Step 1/);
    const redis = await connectRedis(stack.state().redisUrl);
    try {
      const [first = 0] = await newestSales(stack, 'rehearsal');
      const key = saleKeys.sale(first);
      for (const deadline = Date.now() + 60_000; Number(await redis.hget(key, 'sold')) < 2; await sleep(20)) {
        if (Date.now() > deadline) throw new Error(`nothing was sold:\n${run.said()}`);
      }
      // Behind the back of the sale: a ticket that nobody has.
      await redis.hincrby(key, 'sold', 1);
      const { exitCode, stdout, stderr } = await run.ended;
      expect(exitCode, stderr).toBe(7);
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ interrupted: false, knee: null, proposal: null, command: null });
      expect(report.steps).toHaveLength(1);
      const codes = report.faults.map(({ code }: { readonly code: string }) => code);
      expect(codes).toContain('stock');
      expect(report.audit.status).toBe('differs');
    } finally {
      redis.disconnect();
    }
  });

  it('ends at Ctrl-C with the table so far, and proposes nothing', async () => {
    const run = startBench(stack.directory, ['rehearse', '--from', '5', ...SMALL]);
    await saidBy(run, /running: Step 2 of 24 at most/);
    run.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(130);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ interrupted: true, knee: null, proposal: null, audit: { status: 'clean' } });
    expect(report.steps).toHaveLength(1);
    const folder = join(stack.directory, '.fest', 'rehearsals');
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([`${report.id}.json`, `${report.id}.md`]));
    expect(JSON.parse(readFileSync(report.file, 'utf8'))).toMatchObject({ interrupted: true, id: report.id });
  });
});
