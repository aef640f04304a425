import { describe, expect, test } from 'vitest';
import { Seats } from './seats.ts';

describe('seats', () => {
  test('there are as many as there are, and one that is left is free again', () => {
    const seats = new Seats({ sockets: 2, perAddress: 0 });
    seats.take('a');
    expect(seats.vacancy('a')).toBe('free');
    seats.take('a');
    expect([seats.vacancy('a'), seats.vacancy('b'), seats.taken]).toEqual(['full', 'full', 2]);
    seats.leave('a');
    expect([seats.vacancy('b'), seats.taken]).toEqual(['free', 1]);
  });

  test('one address cannot take them all', () => {
    const seats = new Seats({ sockets: 10, perAddress: 2 });
    seats.take('a');
    seats.take('a');
    expect([seats.vacancy('a'), seats.vacancy('b')]).toEqual(['crowded', 'free']);
    seats.leave('a');
    expect(seats.vacancy('a')).toBe('free');
  });

  test('those whose address does not tell them apart are as many as there are seats', () => {
    const seats = new Seats({ sockets: 3, perAddress: 1 });
    for (const taken of [1, 2]) {
      seats.take(undefined);
      expect([seats.taken, seats.vacancy(undefined), seats.vacancy('a')]).toEqual([taken, 'free', 'free']);
    }
    seats.take('a');
    seats.leave(undefined);
    expect([seats.taken, seats.vacancy('a'), seats.vacancy(undefined)]).toEqual([2, 'crowded', 'free']);
  });

  test('without any nobody comes in', () => {
    expect(new Seats({ sockets: 0, perAddress: 0 }).vacancy('a')).toBe('full');
  });
});
