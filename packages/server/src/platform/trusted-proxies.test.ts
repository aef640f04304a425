import { describe, expect, it } from 'vitest';
import { parseTrustedProxies, trustOf } from './trusted-proxies.ts';

/** The addresses from our socket outwards: the first that is not a proxy of ours is the client. */
function clientOf(setting: string, addresses: readonly string[]): string | undefined {
  const trusts = trustOf(parseTrustedProxies(setting));
  if (trusts === false) return addresses[0];
  return addresses.find((address, hop) => hop === addresses.length - 1 || !trusts(address, hop));
}

describe('whose X-Forwarded-For is believed', () => {
  const [balancer, edge, client, invented] = ['10.0.0.7', '203.0.113.9', '198.51.100.4', '8.8.8.8'];

  it.each([
    ['false', [balancer, client, invented], balancer],
    ['0', [balancer, client, invented], balancer],
    ['true', [balancer, client, invented], client],
    ['1', [balancer, client, invented], client],
    ['1', [balancer], balancer],
    ['2', [balancer, edge, client, invented], client],
    ['10.0.0.0/8', [balancer, client, invented], client],
    ['10.0.0.0/8', [client, invented], client],
    ['10.0.0.0/8, 203.0.113.9', [balancer, edge, client, invented], client],
    ['10.0.0.0/8', ['::ffff:10.0.0.7', client, invented], client],
    ['2001:db8::/32', ['2001:db8::5', client, invented], client],
    ['2001:db8::/32', ['2001:db9::5', client, invented], '2001:db9::5'],
    ['10.0.0.0/8', [balancer, 'unknown', client], 'unknown'],
  ])('with %s, %j is a request of %s', (setting, addresses, expected) => {
    expect(clientOf(setting, addresses)).toBe(expected);
  });

  it.each([
    'maybe',
    '',
    '11',
    '-1',
    '1.5',
    '10.0.0.0/0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fe80::1%a',
    '1,x',
  ])('refuses %s', (setting) => {
    expect(() => parseTrustedProxies(setting)).toThrow(/true or false, the number of proxies/);
  });
});
