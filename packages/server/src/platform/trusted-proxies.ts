/**
 * Whose `X-Forwarded-For` is believed. A client can send the header too, and proxies append to what they get: what is on its
 * left end is whatever the client likes. So it is read from the right, for as many entries as there are proxies of ours.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * `false`: nobody's. A number: so many proxies are in front of every server, and nobody else can reach it. Networks: whoever
 * has an address in one of these is a proxy of ours.
 */
export type TrustedProxies = false | number | readonly string[];

/** More proxies in a row than anybody has. */
const HOPS_MAX = 10;
const WORDS: Readonly<Record<string, TrustedProxies>> = { false: false, true: 1 };

/** @throws {Error} whose message completes "FEST_TRUST_PROXY …" */
export function parseTrustedProxies(raw: string): TrustedProxies {
  const word = Object.hasOwn(WORDS, raw) ? WORDS[raw] : undefined;
  if (word !== undefined) return word;
  if (/^\d+$/.test(raw)) {
    const hops = Number(raw);
    if (hops <= HOPS_MAX) return hops === 0 ? false : hops;
  }
  const networks = raw.split(',').map((entry) => entry.trim());
  if (networks.every((network) => parseNetwork(network) !== undefined)) return networks;
  throw new Error(
    `must be true or false, the number of proxies in a row (0 to ${HOPS_MAX}), or a list of their networks ` +
      `(10.0.0.0/8, 2001:db8::/32), not "${raw}"`,
  );
}

/** For Fastify's `trustProxy`: is the one at this address, `hop` steps away from us, a proxy of ours? */
export function trustOf(proxies: TrustedProxies): false | ((address: string, hop: number) => boolean) {
  if (proxies === false) return false;
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies;
  const list = new BlockList();
  for (const text of proxies) {
    const network = parseNetwork(text);
    if (network === undefined) throw new Error(`${text} is no network`);
    list.addSubnet(network.address, network.bits, network.family);
  }
  return (address) => {
    if (isIPv4(address)) return list.check(address, 'ipv4');
    return isIPv6(address) && list.check(address, 'ipv6');
  };
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', bitsText, ...others] = text.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : undefined;
  if (most === undefined || others.length > 0) return undefined;
  const bits = bitsText === undefined ? most : Number(bitsText);
  // A prefix of nothing would trust everybody, and with that believe the client's own end of the header.
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return undefined;
  if (bits < 1 || bits > most) return undefined;
  return { address, bits, family: most === 32 ? 'ipv4' : 'ipv6' };
}
