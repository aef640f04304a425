/** What a request costs, counted by Redis itself and in bytes on the wire. A sale's first minute is decided here. */
import { LIMITS } from '@fest/server/limits';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { exchange, listen, parseAnswer } from '../support/raw-http.ts';
import { type CommandRecorder, recordCommands } from '../support/redis-commands.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import {
  admitWaiting,
  call,
  newVisitor,
  newVisitors,
  outcomeOf,
  refusalOf,
  until,
  type Visitor,
} from '../support/visitor.ts';

const clock = new ManualClock();
const gateway = new GatewayStub();
let fest: TestApp;
let saleId: number;
let commands: CommandRecorder;
beforeAll(async () => {
  fest = await buildTestApp({ clock, gateway, started: false });
  saleId = (await fest.createSale({ capacity: 1_000 })).id;
  commands = await recordCommands(fest);
  // Redis has to be sent each script's source once.
  await walkThrough(await admitted());
});
// What earlier purchases leave to be archived would count.
beforeEach(() => archived());
afterAll(async () => {
  commands?.stop();
  await fest?.close();
});

const withKey = (key: string) => ({ 'idempotency-key': key });

interface Admitted {
  readonly buyer: Visitor;
  readonly queueToken: string;
}

async function admitted(): Promise<Admitted> {
  const buyer = await newVisitor(fest);
  const { queueToken } = (await buyer.join(saleId)).body;
  await admitWaiting(fest, clock, saleId);
  return { buyer, queueToken };
}

async function walkThrough({ buyer, queueToken }: Admitted): Promise<void> {
  const first = await buyer.hold(saleId, queueToken);
  await buyer.call('DELETE', `/holds/${first.body.holdId}`);
  const second = await buyer.hold(saleId, queueToken);
  const { paymentId } = (await buyer.pay(second.body.holdId)).body;
  await outcomeOf(buyer, paymentId);
  const again = await buyer.join(saleId);
  await leave(buyer, again.body.queueToken);
}

/** Everything that was begun is in MySQL and out of Redis. Asks Redis with KEYS. */
async function archived(): Promise<void> {
  await until(
    async () => fest.core.processor.inFlight,
    (inFlight) => inFlight === 0,
  );
  await fest.core.applier.drain(5_000);
  await until(
    () => fest.services.redis.keys('fest:fresh-orders:*'),
    (keys) => keys.length === 0,
  );
}

const leave = (buyer: Visitor, queueToken: string) =>
  buyer.call('DELETE', `/sales/${saleId}/queue`, { headers: { 'queue-token': queueToken } });

integration('the work of a request', () => {
  test('a poll costs Redis nothing, waiting or admitted', async () => {
    const inside = await admitted();
    const waiting = await newVisitors(fest, 20);
    const tokens = await Promise.all(waiting.map(async (buyer) => (await buyer.join(saleId)).body.queueToken));
    const seen = await commands.during(async () => {
      // As often as one number may ask at once.
      for (let round = 0; round < LIMITS.pollPaceBurst; round += 1) {
        expect((await inside.buyer.poll(saleId, inside.queueToken)).body.admitted).toBe(true);
        for (const token of tokens) expect((await inside.buyer.poll(saleId, token)).body.admitted).toBe(false);
      }
    });
    expect(seen).toEqual([]);
  });

  test('looking at a sale costs Redis nothing', async () => {
    const { festivalId } = (await call<{ festivalId: number }>(fest, 'GET', `/sales/${saleId}`)).body;
    const paths = [`/sales/${saleId}/state`, `/sales/${saleId}`, `/festivals/${festivalId}`, '/festivals'];
    const seen = await commands.during(async () => {
      for (const path of paths) expect((await call(fest, 'GET', path)).status).toBe(200);
    });
    expect(seen).toEqual([]);
  });

  test('a refused token costs Redis nothing', async () => {
    const { buyer, queueToken } = await admitted();
    const stranger = await newVisitor(fest);
    const otherSale = await fest.createSale();
    // A character inside the signature: the last one holds bits that do not count.
    const forged = `${queueToken.slice(0, -2)}${queueToken.at(-2) === 'A' ? 'B' : 'A'}${queueToken.slice(-1)}`;
    const unsigned = { headers: { authorization: 'Bearer forged' } };
    const seen = await commands.during(async () => {
      const answers = [
        await buyer.poll(saleId, forged),
        await buyer.hold(saleId, forged),
        await buyer.hold(saleId, 'short'),
        await buyer.hold(otherSale.id, queueToken),
        await stranger.hold(saleId, queueToken),
        await leave(stranger, queueToken),
        await call(fest, 'POST', `/sales/${saleId}/queue`, unsigned),
        await call(fest, 'POST', `/sales/${saleId}/holds`, { ...unsigned, body: { quantity: 1 } }),
        await buyer.hold(saleId, queueToken, 0),
        await buyer.join(4_000_000_000),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 400, 404]);
    });
    expect(seen).toEqual([]);
  });

  test.each([
    ['without a key', {}],
    ['with an Idempotency-Key', withKey('join')],
  ])('joining costs one command, the first time and again, %s', async (_, headers) => {
    const buyer = await newVisitor(fest);
    for (const _time of [1, 2]) {
      const seen = await commands.during(async () => expect((await buyer.join(saleId, headers)).status).toBe(200));
      expect(seen).toEqual(['EVALSHA']);
    }
  });

  test.each([
    ['without a key', {}],
    ['with an Idempotency-Key', withKey('hold')],
  ])('a hold costs one command, the first time and repeated, %s', async (_, headers) => {
    const { buyer, queueToken } = await admitted();
    const take = () =>
      buyer.call('POST', `/sales/${saleId}/holds`, {
        body: { quantity: 2 },
        headers: { 'queue-token': queueToken, ...headers },
      });
    for (const status of [201, 200]) {
      const seen = await commands.during(async () => expect((await take()).status).toBe(status));
      expect(seen).toEqual(['EVALSHA']);
    }
  });

  test('being refused a hold, giving one back, and leaving the line cost one command each', async () => {
    const { buyer, queueToken } = await admitted();
    const early = await newVisitor(fest);
    const earlyToken = (await early.join(saleId)).body.queueToken;
    const refused = await commands.during(async () =>
      expect(refusalOf(await early.hold(saleId, earlyToken))).toBe('403 not_admitted'),
    );
    const { holdId } = (await buyer.hold(saleId, queueToken)).body;
    const released = await commands.during(async () =>
      expect((await buyer.call('DELETE', `/holds/${holdId}`)).status).toBe(204),
    );
    const left = await commands.during(async () => expect((await leave(buyer, queueToken)).status).toBe(204));
    expect([refused, released, left]).toEqual([['EVALSHA'], ['EVALSHA'], ['EVALSHA']]);
  });

  test.each([
    ['without a key', {}],
    ['with an Idempotency-Key', withKey('pay')],
  ])(
    'beginning a payment costs one command, asking for its outcome none at first and one later, %s',
    async (_, headers) => {
      const { buyer, queueToken } = await admitted();
      const { holdId } = (await buyer.hold(saleId, queueToken)).body;
      const goOn = gateway.stall();
      let paymentId = '';
      const begun = await commands.during(async () => {
        paymentId = (await buyer.pay(holdId, headers)).body.paymentId;
      });
      const repeated = await commands.during(() => buyer.pay(holdId, headers));
      const ask = async () => expect((await buyer.payment(paymentId)).body.status).toBe('pending');
      const asked = await commands.during(ask);
      const laterMs = performance.now() + LIMITS.freshPaymentMs + 1;
      const watch = vi.spyOn(performance, 'now').mockReturnValue(laterMs);
      const askedLater = await commands.during(ask);
      watch.mockRestore();
      goOn();
      await outcomeOf(buyer, paymentId);
      expect([begun, repeated, asked, askedLater]).toEqual([['EVALSHA'], ['EVALSHA'], [], ['HMGET']]);
    },
  );

  test('a whole purchase, from the line to the order, costs a handful of commands', async () => {
    const buyer = await newVisitor(fest);
    let queueToken = '';
    const joined = await commands.during(async () => {
      queueToken = (await buyer.join(saleId)).body.queueToken;
    });
    await admitWaiting(fest, clock, saleId);
    const goOn = gateway.stall();
    let paymentId = '';
    const bought = await commands.during(async () => {
      const { holdId } = (await buyer.hold(saleId, queueToken)).body;
      paymentId = (await buyer.pay(holdId)).body.paymentId;
    });
    const settled = await commands.during(async () => {
      goOn();
      await archived();
    });
    expect((await outcomeOf(buyer, paymentId)).status).toBe('succeeded');
    expect(joined).toEqual(['EVALSHA']);
    expect(bought).toEqual(['EVALSHA', 'EVALSHA']);
    // Confirm, show, and put the order where its buyer finds it; then, archived, take it away again.
    const ofServer = settled.filter((name) => name !== 'KEYS');
    expect(ofServer.sort()).toEqual(['EVALSHA', 'EVALSHA', 'EXPIRE', 'HDEL', 'HSETNX']);
  });

  test('however many ask, one read brings the state of a sale', async () => {
    const seen = await commands.during(() =>
      Promise.all(Array.from({ length: 50 }, () => fest.core.live.refresh(saleId))),
    );
    expect(seen).toEqual(['EVALSHA']);
  });

  test('a tick costs one command, and one more when it admits somebody', async () => {
    await admitted();
    clock.advance(1_000);
    expect(await commands.during(() => fest.core.ticker.tick(saleId))).toEqual(['EVALSHA']);
    await (await newVisitor(fest)).join(saleId);
    clock.advance(1_000);
    expect(await commands.during(() => fest.core.ticker.tick(saleId))).toEqual(['EVALSHA', 'EVALSHA']);
  });
});

integration('the size of an answer', () => {
  test('a queue token never has more than 64 characters', async () => {
    const largest = {
      saleId: LIMITS.saleId,
      accountId: LIMITS.accountId,
      number: 2 ** 48 - 1,
      epoch: 2 ** 32 - 1,
    };
    const token = fest.core.queueTokens.mint(largest);
    expect(fest.core.queueTokens.verify(token)).toEqual(largest);
    expect(token.length).toBeLessThanOrEqual(64);
    expect((await (await newVisitor(fest)).join(saleId)).body.queueToken.length).toBeLessThanOrEqual(64);
  });

  /** As many bytes as an answer can have: a fleet that lost Redis hundreds of times, and a line of millions. */
  async function crowdedSale(fields: Readonly<Record<string, number>>): Promise<number> {
    const crowded = await fest.createSale();
    await fest.services.redis.hset(saleKeys.sale(crowded.id), fields);
    await fest.core.live.refresh(crowded.id);
    return crowded.id;
  }

  async function pollBytes(id: number, number: number): Promise<string> {
    const queueToken = fest.core.queueTokens.mint({ saleId: id, accountId: 1, number, epoch: 1 });
    const request = `GET /api/v1/sales/${id}/queue HTTP/1.1\r\nHost: fest\r\nQueue-Token: ${queueToken}\r\n\r\n`;
    return exchange(port, request);
  }

  let port: number;
  beforeAll(async () => {
    port = await listen(fest);
  });

  test('the poll of somebody who waits has at most 300 bytes with its headers, in a crowd of millions too', async () => {
    const id = await crowdedSale({ drawn: 9_000_000_000, perSecond: 50, serving: 8_990_000_020 });
    const bytes = await pollBytes(id, 9_000_000_000);
    const answer = { number: 9_000_000_000, position: 9_999_980, admitted: false, pollAfterMs: 30_000 };
    expect(JSON.parse(parseAnswer(bytes).text)).toMatchObject(answer);
    expect(bytes.length).toBeLessThanOrEqual(300);
  });

  test('so has the poll of somebody who waits for the opening', async () => {
    const id = await crowdedSale({ drawn: 9_000_000_000, serving: 8_990_000_020 });
    const opensAtMs = clock.nowMs() + 20 * 86_400_000;
    await fest.services.redis.hset(saleKeys.sale(id), { phase: 'scheduled', perSecond: 1, maxActive: 1, opensAtMs });
    await fest.core.live.refresh(id);
    const bytes = await pollBytes(id, 9_000_000_000);
    expect(JSON.parse(parseAnswer(bytes).text)).toMatchObject({ phase: 'scheduled', position: 9_999_980 });
    expect(bytes.length).toBeLessThanOrEqual(300);
  });

  test('the poll of somebody who is admitted has at most 300 bytes with its headers', async () => {
    const id = await crowdedSale({ drawn: 9_000_000_000, serving: 9_000_000_000, available: 0, held: 100 });
    const bytes = await pollBytes(id, 9_000_000_000);
    expect(JSON.parse(parseAnswer(bytes).text)).toMatchObject({ admitted: true, phase: 'soldOut' });
    expect(bytes.length).toBeLessThanOrEqual(300);
  });
});
