import { DONE, type Exchange, type Lane } from '@fest/loadtest/generator/work';
import { createQueueTokens } from '@fest/server/features/waiting-room/queue-token';
import { describe, expect, test } from 'vitest';
import { createWork, type Job } from './jobs.ts';

/** Drives one lane with answers made up by `answer`; the first line of each request. */
function drive(lane: Lane, answer: (exchange: Exchange, seen: readonly string[]) => object): readonly string[] {
  const seen: string[] = [];
  for (let next = lane.next(), steps = 0; next !== DONE; next = lane.next(), steps += 1) {
    if (steps > 1_000) throw new Error('it does not end');
    if ('pauseMs' in next) {
      seen.push(`pause ${next.pauseMs}`);
      continue;
    }
    seen.push(next.bytes.toString().split(' HTTP', 1)[0] ?? '');
    lane.answered(next, { status: next.expected, body: Buffer.from(JSON.stringify(answer(next, seen))) });
  }
  return seen;
}

const work = (job: Job) => createWork(job);

test('a purchase is a join, polls until admitted, a hold, a payment, and looks until the order is durable', () => {
  const answers: Readonly<Record<string, readonly object[]>> = {
    join: [{ queueToken: 'q', admitted: false }],
    poll: [
      { position: 3, admitted: false },
      { position: 0, admitted: true },
    ],
    hold: [{ holdId: 'h' }],
    payment: [{ paymentId: 'p', status: 'pending' }],
    outcome: [{ status: 'pending' }, { status: 'succeeded', orderId: 'o' }],
  };
  const asked: Record<string, number> = {};
  const seen = drive(work({ kind: 'purchase', saleId: 7, tokens: ['t'] }).openLane(), ({ kind }) => {
    const index = asked[kind] ?? 0;
    asked[kind] = index + 1;
    return answers[kind]?.[index] ?? {};
  });
  expect(seen).toEqual([
    'POST /api/v1/sales/7/queue',
    'pause 250',
    'GET /api/v1/sales/7/queue',
    'pause 250',
    'GET /api/v1/sales/7/queue',
    'POST /api/v1/sales/7/holds',
    'POST /api/v1/holds/h/payments',
    'pause 10',
    'GET /api/v1/payments/p',
    'pause 10',
    'GET /api/v1/payments/p',
  ]);
});

describe('an answer that does not say what it should is a fault', () => {
  const buyers = [{ token: 't', holdId: 'h', queueToken: 'q'.repeat(20) }];
  const places = { epoch: 1, secret: 's'.repeat(32), firstNumber: 1_000 };
  test.each<[string, Job, object]>([
    ['a ceiling that answers something else', { kind: 'constant', path: '/', member: 'number', units: 1 }, {}],
    ['a poll of somebody who is in', { kind: 'poll', saleId: 1, places, units: 1 }, { admitted: true }],
    ['a join without a token', { kind: 'join', saleId: 1, tokens: ['t'] }, { number: 1 }],
    ['a hold without an id', { kind: 'hold', saleId: 1, buyers }, { code: 'sold_out' }],
    ['a payment that failed', { kind: 'confirm', buyers }, { paymentId: 'p', status: 'failed' }],
    ['a success without an order', { kind: 'confirm', buyers }, { paymentId: 'p', status: 'succeeded' }],
  ])('%s', (_, job, answer) => {
    expect(() => drive(work(job).openLane(), () => answer)).toThrow();
  });
});

test('half of the refused come with a token that was altered', () => {
  const crowd = [{ token: 't', queueToken: 'abcdefAA' }];
  const job: Job = {
    kind: 'mix',
    saleId: 1,
    places: { epoch: 1, secret: 's'.repeat(32), firstNumber: 1_000 },
    early: crowd,
    orders: crowd,
    offset: 0,
    units: 200,
  };
  const refused: string[] = [];
  const lane = work(job).openLane();
  drive(lane, ({ kind, bytes }) => {
    if (kind !== 'refusal') return { position: 1 };
    refused.push(/Queue-Token: (\S+)/.exec(bytes.toString())?.[1] ?? '');
    return { code: 'not_admitted' };
  });
  expect(new Set(refused)).toEqual(new Set(['abcdefAA', 'abcdefBB']));
});

test('every poll is of somebody else, with a token that the server takes', () => {
  const secret = 'a secret of at least thirty-two characters';
  const lane = work({ kind: 'poll', saleId: 7, places: { epoch: 2, secret, firstNumber: 500 }, units: 20 }).openLane();
  const numbers: unknown[] = [];
  drive(lane, ({ bytes }) => {
    const token = /Queue-Token: (\S+)/.exec(bytes.toString())?.[1] ?? '';
    numbers.push(createQueueTokens(secret).verify(token)?.number);
    return { admitted: false };
  });
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => 500 + index));
});
