/** Everybody who is told states, with sockets that only count what is put into them. */
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../limits.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { LiveBroadcast } from './live-broadcast.ts';
import { LiveSocket } from './live-socket.ts';
import { PING_FRAME } from './state-frame.ts';

let cpuMs = 0;

class CountingSocket extends LiveSocket {
  /** Processor time of one write, milliseconds. */
  costMs = 0;
  takes = true;
  pings = 0;
  phases: string[] = [];
  closeCode: number | undefined;
  constructor() {
    super(null as never, undefined, {});
  }
  override put(frame: Buffer): boolean {
    if (!this.takes) return false;
    if (frame === PING_FRAME) {
      this.pings += 1;
      return true;
    }
    cpuMs += this.costMs;
    this.phases.push(JSON.parse(frame.subarray(4).toString()).phase);
    return true;
  }
  override drop(reason: NonNullable<LiveSocket['endedBy']>): void {
    this.#end(reason);
  }
  override sayGoodbye(reason: NonNullable<LiveSocket['endedBy']>, code: number): void {
    this.#end(reason, code);
  }
  #end(reason: NonNullable<LiveSocket['endedBy']>, code = 1006): void {
    this.endedBy ??= reason;
    this.closeCode ??= code;
    this.emit('close', code, Buffer.alloc(0));
  }
}

class States {
  readonly followed = new Set<number>();
  readonly #sales = new Map<number, LiveSale>();
  #tell: (sale: LiveSale) => void = () => undefined;
  get(saleId: number): LiveSale | undefined {
    return this.#sales.get(saleId);
  }
  onRead(listener: (sale: LiveSale) => void): void {
    this.#tell = listener;
  }
  read(saleId: number, phase: LiveSale['phase'], seq: number): LiveSale {
    const snapshot = { epoch: 1, seq, servingNumber: 0, available: 1 } as LiveSale['snapshot'];
    const sale = { saleId, snapshot, steps: [], phase, readAtMs: 0, windowsBehindMs: 0 };
    this.followed.add(saleId);
    this.#sales.set(saleId, sale);
    this.#tell(sale);
    return sale;
  }
  /** As while Redis is away, or its state is being rebuilt. */
  lose(saleId: number): void {
    this.#sales.delete(saleId);
  }
}

function open() {
  const states = new States();
  const broadcast = new LiveBroadcast({
    states,
    seats: { sockets: 1_000, perAddress: 0 },
    logger: pino({ level: 'silent' }),
    random: (below) => below - 1,
    cpuMs: () => cpuMs,
  });
  const enter = (saleId: number, count: number): readonly CountingSocket[] =>
    Array.from({ length: count }, () => {
      const socket = new CountingSocket();
      broadcast.enter(socket, states.get(saleId) ?? states.read(saleId, 'open', 1), 'a');
      return socket;
    });
  return { states, broadcast, enter };
}

beforeEach(() => {
  cpuMs = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('at the end of sales, which are sold out and open again five times a second', () => {
  const SALES = [1, 2, 3, 4];
  const SOCKETS = 50;
  const FLIPS = 100;

  async function flip(states: States): Promise<void> {
    for (let seq = 2; seq < 2 + FLIPS; seq += 1) {
      for (const saleId of SALES) states.read(saleId, seq % 2 === 0 ? 'soldOut' : 'open', seq);
      await vi.advanceTimersByTimeAsync(LIMITS.stateRefreshMs);
    }
  }

  test('telling all of them takes a fifth of the process, and everybody hears how it ended', async () => {
    const { states, broadcast, enter } = open();
    const sockets = SALES.flatMap((saleId) => enter(saleId, SOCKETS));
    for (const socket of sockets) socket.costMs = 1;
    await flip(states);
    const elapsedMs = FLIPS * LIMITS.stateRefreshMs;
    const { liveBroadcastShare, liveCreditMs, liveUrgentAheadMs } = LIMITS;
    const aheadMs = liveCreditMs + liveUrgentAheadMs;
    expect(cpuMs).toBeLessThanOrEqual((elapsedMs + aheadMs) / liveBroadcastShare + SOCKETS);
    // The share is used, too: it is no reason to say less than one may.
    expect(cpuMs).toBeGreaterThan((0.9 * elapsedMs) / liveBroadcastShare);
    await vi.advanceTimersByTimeAsync(3_000);
    for (const { phases } of sockets) expect(phases.at(-1)).toBe('open');
    await broadcast.stop();
  });

  test('who has few sockets to write to hears of every flip at once', async () => {
    const { states, broadcast, enter } = open();
    const sockets = SALES.flatMap((saleId) => enter(saleId, 2));
    for (const socket of sockets) socket.costMs = 0.01;
    await flip(states);
    for (const { phases } of sockets) expect(phases).toHaveLength(1 + FLIPS);
    await broadcast.stop();
  });
});

/** Runs on, with a state that is read all the time, or without any. */
async function pass(ms: number, each: () => void = () => undefined): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += LIMITS.stateRefreshMs) {
    await vi.advanceTimersByTimeAsync(LIMITS.stateRefreshMs);
    each();
  }
}

describe('a client', () => {
  const { liveHeartbeatMs, liveStuckMs, liveBeatMs } = LIMITS;

  test('that answers no ping is gone after two of them', async () => {
    const { states, enter } = open();
    const [socket] = enter(1, 1);
    await pass(2 * liveHeartbeatMs + liveBeatMs, () => states.read(1, 'open', 1));
    expect([socket?.pings, socket?.endedBy]).toEqual([1, 'silent']);
  });

  test('that was behind when a ping was due, and has read everything since, owes no answer to it', async () => {
    const { enter } = open();
    const [socket] = enter(1, 1);
    if (socket === undefined) throw new Error('nobody came in');
    await pass(liveHeartbeatMs - liveBeatMs);
    socket.takes = false;
    await pass(liveStuckMs / 2);
    expect(socket.pings).toBe(0);
    socket.takes = true;
    await pass(2 * liveBeatMs);
    expect([socket.pings, socket.owesPong]).toEqual([1, true]);
    socket.emit('pong', Buffer.alloc(0));
    await pass(liveHeartbeatMs - liveBeatMs);
    expect(socket.endedBy).toBeUndefined();
  });

  test('that takes nothing is gone also while there is no state to tell', async () => {
    const { states, enter } = open();
    const [socket] = enter(1, 1);
    if (socket === undefined) throw new Error('nobody came in');
    states.lose(1);
    socket.takes = false;
    await pass(liveHeartbeatMs + liveStuckMs - liveBeatMs);
    expect(socket.endedBy).toBeUndefined();
    await pass(3 * liveBeatMs);
    expect(socket.endedBy).toBe('stuck');
  });

  test('hears nothing while there is no state to trust, and stays', async () => {
    const { states, enter } = open();
    const [socket] = enter(1, 1);
    states.lose(1);
    await pass(2 * LIMITS.liveKeepAliveMs);
    expect([socket?.phases, socket?.endedBy]).toEqual([['open'], undefined]);
  });
});

test('who watches a sale that is deleted is sent away with 4404, and nobody else is', async () => {
  const { states, broadcast, enter } = open();
  const [watchers, others] = [enter(1, 3), enter(2, 2)];
  states.lose(1);
  states.followed.delete(1);
  await pass(2 * LIMITS.liveBeatMs);
  expect(watchers.map(({ endedBy, closeCode }) => [endedBy, closeCode])).toEqual(Array(3).fill(['gone', 4404]));
  expect(others.map(({ endedBy }) => endedBy)).toEqual([undefined, undefined]);
  const registry = new Registry();
  for (const metric of broadcast.metrics.all) registry.registerMetric(metric);
  expect(await registry.metrics()).toContain('fest_live_ended_total{reason="gone"} 3\n');
});

test('nobody finds room any more once the server stops, and who had asked before is sent away', async () => {
  const { broadcast, enter } = open();
  expect(broadcast.vacancy('a')).toBe('free');
  const stopped = broadcast.stop();
  expect([broadcast.vacancy('a'), broadcast.isFull]).toEqual(['stopping', false]);
  const [late] = enter(1, 1);
  expect([late?.endedBy, late?.closeCode, late?.phases]).toEqual(['stopping', 1012, []]);
  await stopped;
});

test('who finds no room is told to come back the later the more there are', async () => {
  const { broadcast, enter } = open();
  enter(1, 1_000);
  expect(broadcast.isFull).toBe(true);
  expect(broadcast.vacancy('b')).toBe('full');
  expect(broadcast.retryAfterMs()).toBe(2 * LIMITS.liveFullRetryMs - 1);
  for (let count = 0; count < 20_000; count += 1) broadcast.vacancy('b');
  expect(broadcast.retryAfterMs()).toBe(2 * LIMITS.liveFullRetryMaxMs - 1);
});
