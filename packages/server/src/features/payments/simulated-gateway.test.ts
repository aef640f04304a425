import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedGateway, type SimulatedGatewayOptions } from './simulated-gateway.ts';

let directory: string;
let nowMs: number;
const open: SimulatedGateway[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fest-gateway-'));
  nowMs = 1_000_000;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((gateway) => gateway.close()));
  rmSync(directory, { recursive: true, force: true });
});

/** Its sleep moves the clock, so that no test waits. */
function gatewayWith(options: Partial<SimulatedGatewayOptions> = {}): SimulatedGateway {
  const gateway = new SimulatedGateway({
    directory,
    name: 'server-1',
    seed: 'test',
    clock: { nowMs: () => nowMs },
    latencyMs: 300,
    latencySigma: 0,
    declineRate: 0,
    timeoutRate: 0,
    unknownRate: 0,
    timeoutMs: 2_000,
    sleep: async (ms) => {
      nowMs += ms;
    },
    ...options,
  });
  open.push(gateway);
  return gateway;
}

const charge = (paymentId: string) => ({ paymentId, amount: 500, currency: 'EUR', method: 'card' });
const captured = { kind: 'captured', amount: 500, currency: 'EUR' };

describe('the simulated gateway', () => {
  it('takes the money after its latency', async () => {
    expect(await gatewayWith().charge(charge('p'))).toEqual(captured);
    expect(nowMs).toBe(1_000_300);
  });

  it('gives the same payment the same fate under the same seed, and all fates their share', async () => {
    const rates = { declineRate: 0.2, timeoutRate: 0.1, unknownRate: 0.1 };
    const kindsOf = async (name: string): Promise<string[]> => {
      const gateway = gatewayWith({ name, ...rates });
      const outcomes = [];
      for (let index = 0; index < 2_000; index += 1) outcomes.push((await gateway.charge(charge(`p${index}`))).kind);
      return outcomes;
    };
    const first = await kindsOf('a');
    expect(await kindsOf('b')).toEqual(first);
    const share = (kind: string): number => first.filter((each) => each === kind).length / first.length;
    expect(share('unknown')).toBeCloseTo(0.2, 1);
    expect(share('declined')).toBeCloseTo(0.8 * 0.2, 1);
  });

  it('charges an id once and answers a repetition alike', async () => {
    const gateway = gatewayWith();
    expect(await gateway.charge(charge('p'))).toEqual(captured);
    expect(await gateway.charge(charge('p'))).toEqual(captured);
    expect(await gateway.charge({ ...charge('p'), amount: 600 })).toEqual({
      kind: 'declined',
      failureCode: 'idempotency_mismatch',
    });
  });

  it('does its work also when the answer is lost, and says so when it is looked up', async () => {
    const gateway = gatewayWith({ timeoutRate: 1 });
    expect(await gateway.charge(charge('p'))).toMatchObject({ kind: 'unknown' });
    expect(await gateway.lookup('p')).toEqual({ ...captured, refunded: false });
  });

  it('remembers across a kill, also the charge whose caller died before the answer', async () => {
    void gatewayWith({ sleep: () => new Promise(() => undefined) }).charge(charge('p'));
    // A kill does not come within a turn of the event loop.
    await new Promise(setImmediate);
    const reborn = gatewayWith({ sleep: async () => undefined });
    expect(await reborn.lookup('p')).toEqual({ kind: 'processing' });
    nowMs += 300;
    expect(await reborn.lookup('p')).toEqual({ ...captured, refunded: false });
  });

  it('survives a ledger whose last line was cut off', async () => {
    await gatewayWith().charge(charge('p'));
    appendFileSync(join(directory, 'server-1.ndjson'), '{"entry":"charge","paymentId":"q"');
    await gatewayWith().charge(charge('r'));
    const third = gatewayWith();
    expect(await third.lookup('p')).toMatchObject(captured);
    expect(await third.lookup('r')).toMatchObject(captured);
  });

  it('refuses a charge that comes after it was said not to exist', async () => {
    const gateway = gatewayWith();
    expect(await gateway.lookup('p')).toEqual({ kind: 'notFound' });
    expect(await gateway.charge(charge('p'))).toEqual({ kind: 'declined', failureCode: 'request_voided' });
  });

  it('refunds once, also for a payment another server made', async () => {
    await gatewayWith({ name: 'server-2' }).charge(charge('p'));
    const gateway = gatewayWith();
    expect(await gateway.refund('p')).toBe('refunded');
    expect(await gateway.refund('p')).toBe('refunded');
    expect(await gateway.lookup('p')).toEqual({ ...captured, refunded: true });
    expect(await gateway.refund('unheard-of')).toBe('notFound');
  });

  it('answers a check without taking note of it, and says when its ledger is gone', async () => {
    const gateway = gatewayWith();
    expect(await gateway.check()).toEqual({ kind: 'answers' });
    expect(nowMs).toBe(1_000_050);
    expect(readFileSync(join(directory, 'server-1.ndjson'), 'utf8')).toBe('');
    rmSync(directory, { recursive: true });
    expect(await gateway.check()).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('ENOENT') });
  });
});
