/** Who asks as told is answered; who asks much more often is refused, and loses nothing but time. */
import type { QueuePosition } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import type { RawAnswer } from '../support/problem-checks.ts';
import { exchange, listen, parseAnswer } from '../support/raw-http.ts';
import { recordCommands } from '../support/redis-commands.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { newVisitor, type Visitor } from '../support/visitor.ts';

const clock = new ManualClock();
let fest: TestApp;
let port: number;
let saleId: number;
beforeAll(async () => {
  fest = await buildTestApp({ clock, started: false });
  port = await listen(fest);
  saleId = (await fest.createSale()).id;
  // A line so long that the interval is the longest.
  await fest.services.redis.hset(saleKeys.sale(saleId), 'drawn', 1_000_000, 'perSecond', 50);
});
afterAll(() => fest?.close());

async function join(buyer?: Visitor): Promise<string> {
  const { queueToken } = (await (buyer ?? (await newVisitor(fest))).join(saleId)).body;
  await fest.core.live.refresh(saleId);
  return queueToken;
}

async function poll(queueToken: string): Promise<RawAnswer> {
  const request = `GET /api/v1/sales/${saleId}/queue HTTP/1.1\r\nHost: fest\r\nQueue-Token: ${queueToken}\r\n\r\n`;
  return parseAnswer(await exchange(port, request));
}

async function later(ms: number): Promise<void> {
  clock.advance(ms);
  await fest.core.live.refresh(saleId);
}

integration('the pace of polls', () => {
  test('who waits as told, in two tabs that are loaded again now and then, is never refused', async () => {
    const token = await join();
    for (let round = 0; round < 20; round += 1) {
      const asked = [
        await poll(token),
        await poll(token),
        ...(round % 4 === 0 ? [await poll(token), await poll(token)] : []),
      ];
      expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 200));
      const { pollAfterMs }: QueuePosition = JSON.parse(asked[0]?.text ?? '');
      expect(pollAfterMs).toBeGreaterThanOrEqual(LIMITS.pollAfterMsMax * 0.9);
      // A clock that is a little fast.
      await later(pollAfterMs * 0.95);
    }
  });

  test('who asks again and again is refused, without a Redis command, and told when to come back', async () => {
    const [greedy, honest] = [await join(), await join()];
    const commands = await recordCommands(fest);
    let refused: RawAnswer | undefined;
    const seen = await commands.during(async () => {
      for (let asked = 0; refused === undefined && asked < 20; asked += 1) {
        const answer = await poll(greedy);
        if (answer.status === 429) refused = answer;
      }
      for (const inject of [1, 2]) expect([inject, (await poll(greedy)).status]).toEqual([inject, 429]);
      expect((await poll(honest)).status).toBe(200);
    });
    commands.stop();
    expect(seen).toEqual([]);
    const { code, retryAfterMs } = JSON.parse(refused?.text ?? '');
    expect(code).toBe('rate_limited');
    expect(retryAfterMs).toBeGreaterThanOrEqual(27_000);
    expect(refused?.headers).toMatchObject({
      'retry-after': String(Math.ceil(retryAfterMs / 1000)),
      'content-type': 'application/problem+json',
    });
    await later(retryAfterMs);
    expect((await poll(greedy)).status).toBe(200);
  });

  test('who leaves and joins again and again has many tokens, and no more answers than the others', async () => {
    const buyer = await newVisitor(fest);
    const statuses: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const token = await join(buyer);
      for (let asked = 0; asked < LIMITS.pollPaceBurst; asked += 1) statuses.push((await poll(token)).status);
      await buyer.call('DELETE', `/sales/${saleId}/queue`, { headers: { 'queue-token': token } });
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(LIMITS.pollPaceBurst);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2 * LIMITS.pollPaceBurst);
  });

  test('tokens that nobody made are refused as such, however often they come', async () => {
    for (let asked = 0; asked < 50; asked += 1) expect((await poll('A'.repeat(50))).status).toBe(401);
  });
});
