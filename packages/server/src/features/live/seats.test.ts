import { describe, expect, test } from 'vitest';
import { originOf, Seats } from './seats.ts';

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

  test('without any nobody comes in', () => {
    expect(new Seats({ sockets: 0, perAddress: 0 }).vacancy('a')).toBe('full');
  });
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', 'unknown'],
  ['unknown', 'unknown'],
  ['_hidden', 'unknown'],
  ['192.0.2.7:443', 'unknown'],
  ['192.0.2.256', 'unknown'],
  ['::ffff:192.0.2.256', 'unknown'],
  ['x'.repeat(8_000), 'unknown'],
])('%s counts as %s', (address, origin) => {
  expect(originOf(address)).toBe(origin);
});
