import { describe, expect, it, test } from 'vitest';
import { LIMITS } from '../../../limits.ts';
import { EventQueue } from './event-queue.ts';
import { formatEvent, parseEvent, toDocument } from './fleet-event.ts';
import type { ProcessFigures } from './process-figures.ts';
import { noticed, salesDoubted, salesRebuilt } from './sayings.ts';
import { figures } from './test-support.ts';

const DOWN = { status: 'down', latencyMs: null } as const;

describe('what changes in a process', () => {
  test.each<[string, Partial<ProcessFigures>, Partial<ProcessFigures>, string, string]>([
    ['it stops', {}, { leaving: true }, 'process', 'info'],
    ['its log has no room', {}, { logOutOfSpace: true }, 'log', 'error'],
    ['its log has room again', { logOutOfSpace: true }, {}, 'log', 'info'],
    ['MySQL refused records', { failedRecords: 1 }, { failedRecords: 3 }, 'applier', 'error'],
    ['Redis is away', {}, { redis: DOWN }, 'store', 'error'],
    ['MySQL is back', { mysql: DOWN }, {}, 'store', 'info'],
  ])('is said once: %s', (_, before, now, kind, level) => {
    const [was, is] = [figures(before), figures({ ...now, worker: 2 })];
    expect(noticed(was, is)).toEqual([expect.objectContaining({ kind, level })]);
    expect(noticed(is, is)).toEqual([]);
  });

  it('is nothing while nothing changes, or somebody has dealt with failed records', () => {
    expect(noticed(figures(), figures({ answers: 9, mysql: { status: 'slow', latencyMs: 900 } }))).toEqual([]);
    expect(noticed(figures({ failedRecords: 2 }), figures())).toEqual([]);
  });

  it('is that it has started, at its first report', () => {
    expect(noticed(undefined, figures()).map(({ text }) => text)).toEqual(['server-1 has started']);
  });
});

test('a few sales are told one by one, many in one event', () => {
  const doubted = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ saleId: index + 1, epoch: 1, reason: 'gone' }));
  const rebuilt = (count: number) => doubted(count).map((sale) => ({ ...sale, sold: 5, tookMs: 1_234 }));
  expect([salesDoubted(doubted(5)).length, salesDoubted(doubted(6)).length]).toEqual([5, 1]);
  expect([salesRebuilt(rebuilt(5)).length, salesRebuilt(rebuilt(6)).length]).toEqual([5, 1]);
  expect(salesRebuilt(rebuilt(1))[0]?.text).toContain('5 tickets sold, in 1.2 s');
});

describe('events that wait', () => {
  const clock = { nowMs: () => 1_800_000_000_000 };
  const saying = (text: string) => ({ kind: 'store', level: 'error', text }) as const;

  it('have ids in the order of time, all of one length', () => {
    const times = [9, 1_800_000_000_000, 1_800_000_000_001];
    const ids = times.map((nowMs) => {
      const queue = new EventQueue({ nowMs: () => nowMs });
      queue.say(saying('x'));
      return queue.waiting[0]?.id ?? '';
    });
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids.map(({ length }) => length)).size).toBe(1);
  });

  it('are bounded: the oldest are forgotten', () => {
    const queue = new EventQueue(clock);
    for (let count = 0; count <= LIMITS.fleetEventsWaiting; count += 1) queue.say(saying(String(count)));
    expect(queue.waiting.length).toBe(LIMITS.fleetEventsWaiting);
    expect(queue.waiting[0]?.text).toBe('1');
  });

  it('wait until they are told', () => {
    const queue = new EventQueue(clock);
    queue.say(saying('first'));
    const told = queue.waiting;
    queue.say(saying('second'));
    queue.settle(told);
    expect(queue.waiting.map(({ text }) => text)).toEqual(['second']);
  });
});

test('an event is read as it was written, and nothing else is', () => {
  const event = {
    id: '1',
    atMs: 0,
    kind: 'action',
    level: 'info',
    saleId: 7,
    operatorId: 3,
    text: 'open → paused',
  } as const;
  expect(parseEvent(formatEvent(event))).toEqual(toDocument(event));
  const long = formatEvent({ ...event, text: 'x'.repeat(10_000) });
  expect(parseEvent(long)?.text.length).toBe(LIMITS.fleetEventCharacters);
  for (const text of [
    '',
    'null',
    '1',
    '{}',
    long.replace('action', 'other'),
    long.replace('"saleId":7', '"saleId":"7"'),
  ]) {
    expect(parseEvent(text)).toBeUndefined();
  }
});
