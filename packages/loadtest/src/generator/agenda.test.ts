import { expect, test } from 'vitest';
import { createRandom } from '../buyers/random.ts';
import { Agenda } from './agenda.ts';

test('whoever is due first comes first, and nobody before the time', () => {
  const random = createRandom('agenda');
  const agenda = new Agenda(2);
  const dues = Array.from({ length: 500 }, () => Math.floor(random() * 100));
  for (const [who, dueMs] of dues.entries()) agenda.add(dueMs, who);
  expect(agenda.take(-1)).toBeUndefined();
  const taken: { dueMs: number; who: number }[] = [];
  for (let nowMs = 0; agenda.size > 0; nowMs += 7) {
    for (let next = agenda.take(nowMs); next !== undefined; next = agenda.take(nowMs)) {
      expect(next.dueMs).toBeLessThanOrEqual(nowMs);
      expect(next.dueMs).toBe(dues[next.who]);
      taken.push(next);
    }
    expect(agenda.nextMs).toBeGreaterThan(nowMs);
  }
  expect(taken.map(({ dueMs }) => dueMs)).toEqual(dues.toSorted((a, b) => a - b));
  expect(new Set(taken.map(({ who }) => who)).size).toBe(500);
});

test('who comes back is due again', () => {
  const agenda = new Agenda();
  agenda.add(5, 1);
  agenda.add(3, 2);
  expect(agenda.take(9)).toEqual({ dueMs: 3, who: 2 });
  agenda.add(4, 2);
  expect([agenda.take(9), agenda.take(9), agenda.take(9)]).toEqual([
    { dueMs: 4, who: 2 },
    { dueMs: 5, who: 1 },
    undefined,
  ]);
  expect(agenda.nextMs).toBe(Number.POSITIVE_INFINITY);
});
