import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { LiveSale } from '../stock/live-sales.ts';
import { BroadcastBudget } from './broadcast-budget.ts';
import { changeBetween, Room, type RoomPace, type Told } from './room.ts';
import { describeState, textFrame } from './state-frame.ts';

const PACE: RoomPace = { broadcastMs: 40, sliceSockets: 10, keepAliveMs: 1_000, stuckMs: 200 };

type Facts = Partial<Pick<LiveSale, 'phase' | 'readAtMs'>> & { readonly seq?: number; readonly epoch?: number };

function saleWith({ phase = 'open', readAtMs = 0, seq = 1, epoch = 1 }: Facts): LiveSale {
  const snapshot = { epoch, seq, servingNumber: 0, available: 5 } as LiveSale['snapshot'];
  return { saleId: 1, snapshot, steps: [], phase, readAtMs, windowsBehindMs: 0 };
}

class FakeSocket implements Told {
  shown = 0;
  missed = 0;
  behindSinceMs = 0;
  takes = true;
  dropped: string | undefined;
  readonly frames: Buffer[] = [];
  put(frame: Buffer): boolean {
    if (this.takes) this.frames.push(frame);
    return this.takes;
  }
  drop(reason: string): void {
    this.dropped = reason;
  }
  sayGoodbye(reason: string): void {
    this.dropped = reason;
  }
  /** The sequences it was told, in order. */
  get told(): readonly number[] {
    return this.frames.map((frame) => JSON.parse(frame.subarray(4).toString()).sequence);
  }
}

function openRoom(pace: Partial<RoomPace> = {}) {
  const counts = { skipped: 0, broadcasts: 0 };
  const metrics = {
    skipped: () => {
      counts.skipped += 1;
    },
    broadcast: () => {
      counts.broadcasts += 1;
    },
  };
  const nowMs = (): number => performance.now();
  const share = { broadcastShare: 5, creditMs: 0, urgentAheadMs: 1_000 };
  const budget = new BroadcastBudget({ pace: share, nowMs, cpuMs: () => 0 });
  const room = new Room({ pace: { ...PACE, ...pace }, budget, metrics, nowMs });
  return { room, counts };
}

describe('a change', () => {
  const before = describeState(saleWith({}));
  test.each([
    ['none', 'only the time is another', { readAtMs: 5 }],
    ['ordinary', 'something else is', { seq: 2 }],
    ['urgent', 'the phase is', { phase: 'soldOut' }],
    ['urgent', 'the epoch is', { epoch: 2 }],
  ] as const)('is %s when %s', (change, _, facts) => {
    expect(changeBetween(before, describeState(saleWith(facts)))).toBe(change);
  });

  test('is urgent when nothing was known', () => {
    expect(changeBetween(undefined, before)).toBe('urgent');
  });
});

describe('a frame', () => {
  test.each([5, 125, 126, 300, 65_535])('of %d bytes is as RFC 6455 has it', (bytes) => {
    const frame = textFrame('x'.repeat(bytes));
    const long = bytes > 125;
    expect([...frame.subarray(0, 2)]).toEqual([0x81, long ? 126 : bytes]);
    if (long) expect(frame.readUInt16BE(2)).toBe(bytes);
    expect(frame.subarray(long ? 4 : 2).toString()).toBe('x'.repeat(bytes));
  });
});

describe('a room', () => {
  test('tells who comes in the newest state at once', () => {
    const { room } = openRoom();
    const socket = new FakeSocket();
    room.enter(socket, saleWith({ seq: 7 }));
    expect(socket.told).toEqual([7]);
    room.close();
  });

  test('writes one and the same buffer to all', async () => {
    const { room } = openRoom();
    const sockets = Array.from({ length: 25 }, () => new FakeSocket());
    for (const socket of sockets) room.enter(socket, saleWith({}));
    await sleep(100);
    room.offer(saleWith({ seq: 2 }));
    await sleep(100);
    expect(new Set(sockets.map(({ frames }) => frames[1])).size).toBe(1);
    expect(sockets.every(({ told }) => told.join() === '1,2')).toBe(true);
    room.close();
  });

  test('gathers changes that come in quick succession, and tells the last of them', async () => {
    const { room } = openRoom();
    const socket = new FakeSocket();
    room.enter(socket, saleWith({ seq: 1 }));
    for (let seq = 2; seq <= 21; seq += 1) {
      room.offer(saleWith({ seq }));
      await sleep(5);
    }
    await sleep(100);
    expect(socket.told.at(-1)).toBe(21);
    expect(socket.told.length).toBeLessThan(10);
    expect(socket.told).toEqual([...socket.told].sort((a, b) => a - b));
    room.close();
  });

  test('tells at once that a sale is sold out, however lately it said something', async () => {
    const { room } = openRoom({ broadcastMs: 10_000 });
    const socket = new FakeSocket();
    room.enter(socket, saleWith({ seq: 1 }));
    await sleep(20);
    room.offer(saleWith({ seq: 2 }));
    await sleep(20);
    expect(socket.told).toEqual([1]);
    room.offer(saleWith({ seq: 3, phase: 'soldOut' }));
    await sleep(20);
    expect(socket.told).toEqual([1, 3]);
    room.close();
  });

  test('lets other work have its turn between slices', async () => {
    const { room } = openRoom();
    const sockets = Array.from({ length: 100 }, () => new FakeSocket());
    for (const socket of sockets) room.enter(socket, saleWith({}));
    await sleep(100);
    room.offer(saleWith({ seq: 2 }));
    const progress: number[] = [];
    while (sockets.some(({ told }) => told.length < 2)) {
      await nextTurn();
      progress.push(sockets.filter(({ told }) => told.length === 2).length);
    }
    const steps = progress.map((count, index) => count - (progress[index - 1] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(PACE.sliceSockets);
    room.close();
  });

  test('leaves out who has not drained, and tells the newest state when it has', async () => {
    const { room, counts } = openRoom();
    const slow = new FakeSocket();
    room.enter(slow, saleWith({ seq: 1 }));
    await sleep(20);
    slow.takes = false;
    for (const seq of [2, 3, 4]) {
      room.offer(saleWith({ seq }));
      await sleep(80);
      room.catchUp();
    }
    expect([slow.told, counts.skipped]).toEqual([[1], 3]);
    slow.takes = true;
    room.catchUp();
    expect([slow.told, slow.behindSinceMs]).toEqual([[1, 4], 0]);
    room.close();
  });

  test('closes who takes nothing for too long, and not before', async () => {
    const { room } = openRoom({ stuckMs: 150 });
    const stuck = new FakeSocket();
    room.enter(stuck, saleWith({ seq: 1 }));
    stuck.takes = false;
    room.offer(saleWith({ seq: 2 }));
    await sleep(80);
    room.catchUp();
    expect(stuck.dropped).toBeUndefined();
    await sleep(150);
    room.catchUp();
    expect(stuck.dropped).toBe('stuck');
    room.close();
  });

  test('says something now and then when nothing changes', async () => {
    const { room } = openRoom({ keepAliveMs: 100 });
    const socket = new FakeSocket();
    room.enter(socket, saleWith({}));
    await sleep(60);
    room.keepAlive(saleWith({ readAtMs: 60 }));
    await sleep(60);
    expect(socket.frames).toHaveLength(1);
    // The document tells the time by whole seconds.
    room.keepAlive(saleWith({ readAtMs: 2_000 }));
    await sleep(60);
    expect(socket.told).toEqual([1, 1]);
    expect(socket.frames[1]).not.toEqual(socket.frames[0]);
    room.close();
  });
});
