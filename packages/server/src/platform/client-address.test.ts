import { describe, expect, test } from 'vitest';
import { networkOf, originOf, tellsClientsApart } from './client-address.ts';

describe('what counts as one address', () => {
  test.each([
    ['192.0.2.7', '4:c0000207:0'],
    ['::ffff:192.0.2.7', '4:c0000207:0'],
    ['::FFFF:c000:0207', '4:c0000207:0'],
    ['192.0.2.7:54321', '4:c0000207:0'],
    ['255.255.255.255', '4:ffffffff:0'],
    ['2001:db8:1:2:3:4:5:6', '6:20010db8:10002'],
    ['2001:db8:1:2::6', '6:20010db8:10002'],
    ['2001:0db8:0001:0002::', '6:20010db8:10002'],
    ['[2001:db8:1:2::6]:443', '6:20010db8:10002'],
    ['[2001:db8:1:2::6]', '6:20010db8:10002'],
    ['2001:db8:1:2:3:4:192.0.2.7', '6:20010db8:10002'],
    ['2001:db8::1', '6:20010db8:0'],
    ['64:ff9b::192.0.2.7', '6:64ff9b:0'],
  ])('%s is %s', (address, origin) => {
    expect(originOf(address)).toBe(origin);
  });

  test.each([
    '',
    'unknown',
    '_hidden',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '2001:db8',
    '1.2.3.4:',
    '[::1',
    'a'.repeat(8_000),
  ])('%s is none', (text) => {
    expect(networkOf(text)).toBeUndefined();
    expect(originOf(text)).toBeUndefined();
  });
});

describe('addresses that do not tell clients apart', () => {
  test.each([
    ...['127.0.0.1', '127.255.1.1', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ...['169.254.1.1', '100.64.0.1', '100.127.255.255', '0.0.0.0', '::', '::1', '::ffff:127.0.0.1', '::ffff:10.1.2.3'],
    ...['fe80::1%eth0', 'febf::1', 'fc00::1', 'fd12:3456::1'],
  ])('%s', (address) => {
    const network = networkOf(address);
    expect(network && tellsClientsApart(network)).toBe(false);
    expect(originOf(address)).toBeUndefined();
  });

  test.each([
    ...['1.0.0.1', '9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
    ...['100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '223.255.255.255'],
    ...['::2:0:0:0:1', 'fbff::1', 'fe00::1', 'fe7f::1', 'fec0::1', '2001:db8::1'],
  ])('%s does', (address) => {
    expect(originOf(address)).toBeDefined();
  });
});
