/** The checker of fairness finds nothing in a fair line, and each way a line can be unfair. */
import { createRandom } from '@fest/loadtest/buyers/random';
import { describe, expect, test } from 'vitest';
import { checkFairness } from './check.ts';
import type { Ending, Join, LineRecord, Sample, Saying } from './record.ts';

const BOUNDS = { lagMs: 250, clockMs: 20 };
const TICK_MS = 200;
const BATCH = 15;
const ADMISSION_MS = 3_000;
const BUYERS = 600;

/** What a server in the little world below does; a planted bug does it otherwise. */
interface Rules {
  /** The serving number that a server knows of, of those that Redis had. */
  readonly known: (server: number, servingAt: (atMs: number) => number, nowMs: number) => number;
  /** What is told to a number by a server that knows of that serving number, and of when it was served. */
  readonly said: (asked: { number: number; buyer: number }, known: number, sinceServedMs: number) => Saying['said'];
  readonly draw: (next: number, buyer: number) => number;
  readonly again: (number: number, next: number, isServed: boolean) => number;
}

const FAIR: Rules = {
  // Each server looks every 200 ms, at other moments than the other.
  known: (server, servingAt, nowMs) => servingAt(Math.floor((nowMs - server * 77) / 200) * 200 + server * 77),
  said: ({ number }, known, sinceServedMs) =>
    number > known ? 'waiting' : sinceServedMs < ADMISSION_MS ? 'admitted' : 'passed',
  draw: (next) => next,
  again: (number) => number,
};

/** A line of 600 at two servers: who polls when is chance, and every tenth joins again. Half of them never hold. */
function play(rules: Partial<Rules> = {}, rejoin: LineRecord['rejoin'] = 'keep'): LineRecord {
  const { known, said, draw, again } = { ...FAIR, ...rules };
  const random = createRandom('a line');
  const servingAt = (atMs: number): number => Math.max(0, Math.floor(atMs / TICK_MS) * BATCH);
  const servedAt = (number: number): number => Math.ceil(number / BATCH) * TICK_MS;
  const joins: Join[] = [];
  const sayings: Saying[] = [];
  const endings: Ending[] = [];
  let next = 0;
  const people = Array.from({ length: BUYERS }, (_, buyer) => {
    next += 1;
    const number = draw(next, buyer);
    const server = Math.floor(random() * 2);
    joins.push({
      buyer,
      server,
      sentAt: -1_000 + buyer,
      answeredAt: -999.5 + buyer,
      number,
      before: undefined,
      admitted: false,
    });
    return { buyer, number, doneAt: Number.POSITIVE_INFINITY };
  });
  for (const person of people.filter(({ buyer }) => buyer % 10 === 3)) {
    const sentAt = 500 + person.buyer;
    const before = person.number;
    const isServed = before <= servingAt(sentAt);
    const number = again(before, next + 1, isServed);
    if (number > next) next = number;
    if (number !== before) endings.push({ buyer: person.buyer, number: before, how: 'moved' });
    joins.push({
      buyer: person.buyer,
      server: 0,
      sentAt,
      answeredAt: sentAt + 0.5,
      number,
      before,
      admitted: isServed,
    });
    person.number = number;
  }
  const endMs = 15_000;
  for (const { buyer, number } of people) {
    const holds = buyer % 2 === 0;
    let how: Ending['how'] = 'unfinished';
    for (let atMs = 1_200 + 400 * random(); atMs < endMs && how === 'unfinished'; atMs += 100 + 300 * random()) {
      const server = Math.floor(random() * 2);
      const sinceServedMs = atMs - servedAt(number);
      const told = said({ number, buyer }, known(server, servingAt, atMs), sinceServedMs);
      sayings.push({ buyer, server, sentAt: atMs - 1, answeredAt: atMs + 1, number, said: told, from: 'memory' });
      if (told === 'admitted' && holds) how = 'held';
      if (told === 'passed') how = 'passed';
    }
    endings.push({ buyer, number, how });
  }
  const samples: Sample[] = Array.from({ length: endMs / 5 + 300 }, (_, index) => {
    const askedAt = -1_000 + index * 5;
    return { askedAt, answeredAt: askedAt + 1, serving: Math.min(next, servingAt(askedAt + 0.5)), stoppedMs: 0 };
  });
  return { rejoin, admissionMs: ADMISSION_MS, joins, sayings, samples, endings, putOff: 0, oddities: [] };
}

const faultsOf = (record: LineRecord): readonly string[] => checkFairness(record, BOUNDS).faults;

describe('a fair line', () => {
  test.each(['keep', 'tail'] as const)('has no fault (rejoin: %s)', (rejoin) => {
    const again: Rules['again'] = (number, next, isServed) => (rejoin === 'tail' && !isServed ? next : number);
    const { faults, figures } = checkFairness(play({ again }, rejoin), BOUNDS);
    expect(faults).toEqual([]);
    expect(figures).toMatchObject({ buyers: BUYERS, batch: BATCH, withinLag: 2 * BATCH });
    expect(figures.endings.held).toBeGreaterThan(200);
    expect(figures.endings.passed).toBeGreaterThan(200);
    // Two servers that look at different moments: it is seen, and it is within the bound.
    expect(figures.overtaken).toBeGreaterThan(0);
    expect(figures.overtakenBy).toBeLessThanOrEqual(2 * BATCH);
    expect(figures.lateMs).toBeLessThan(200);
  });
});

/** Nobody is let in beyond that number. */
function stopped(last: number): LineRecord {
  const record = play({ known: (...all) => Math.min(last, FAIR.known(...all)) });
  return {
    ...record,
    samples: record.samples.map((sample) => ({ ...sample, serving: Math.min(last, sample.serving) })),
  };
}

const PLANTED: readonly (readonly [string, LineRecord, string])[] = [
  [
    'admission by account instead of by number',
    play({ said: ({ buyer }, known) => ((buyer * 7) % BUYERS < known ? 'admitted' : 'waiting') }),
    'too early',
  ],
  [
    'a server that is ahead of Redis',
    play({ known: (server, servingAt, nowMs) => servingAt(nowMs) + 20 * server }),
    'too early',
  ],
  [
    'a server that looks at Redis once in a second',
    play({ known: (server, servingAt, nowMs) => servingAt(server === 1 ? Math.floor(nowMs / 1_000) * 1_000 : nowMs) }),
    'too late',
  ],
  [
    'a server that goes back to an older state',
    play({ known: (server, servingAt, nowMs) => servingAt(nowMs - (server === 1 && nowMs % 7 < 2 ? 200 : 0)) }),
    'overtaken: server 1',
  ],
  [
    'a number that is passed over',
    play({ said: (asked, ...rest) => (asked.number === 77 ? 'waiting' : FAIR.said(asked, ...rest)) }),
    'forgotten: 77 never heard of its turn',
  ],
  ['a line that stops', stopped(200), 'forgotten: 201 waits, 200 is served'],
  [
    'a number that is drawn twice',
    play({ draw: (next) => (next === 100 ? 99 : next) }),
    'number: 99 was drawn by buyers 98 and 99',
  ],
  ['a number that is left out', play({ draw: (next) => (next > 100 ? next + 1 : next) }), 'number: 101 was left out'],
  [
    'a newcomer who is put before others',
    play({ draw: (next) => (next <= 50 ? 51 - next : next) }),
    'order of arrival',
  ],
  ['keep: who joins again goes to the tail', play({ again: (_number, next) => next }), 'joined again'],
  ['tail: who joins again keeps the number', play({}, 'tail'), 'joined again'],
  ['tail: an admitted buyer loses the number', play({ again: (_number, next) => next }, 'tail'), 'joined again'],
  [
    'a turn that is cut short',
    play({ said: (asked, known, since) => FAIR.said(asked, known, since + 1_000) }),
    'turn cut short',
  ],
  ['a turn that does not end', play({ said: (asked, known) => FAIR.said(asked, known, 0) }), 'turn too long'],
  [
    'a serving number that goes back',
    { ...play(), samples: play().samples.map((sample, index) => (index === 500 ? { ...sample, serving: 1 } : sample)) },
    'serving number: went back',
  ],
  ['an answer that nothing explains', { ...play(), oddities: ['a hold was answered 403'] }, 'odd answer'],
];

describe('an unfair line is found out', () => {
  test.each(PLANTED)('%s', (_, record, expected) => {
    expect(
      faultsOf(record).some((fault) => fault.startsWith(expected)),
      faultsOf(record).join('\n'),
    ).toBe(true);
  });
});
