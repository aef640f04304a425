/** What counts as one address, and which addresses say something about who is asking. */
import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 address, or the 64 bits of an IPv6 network, of which one household or one machine has all. */
export interface ClientNetwork {
  readonly family: 4 | 6;
  /** 32 bits: the IPv4 address, or the first half of the network. */
  readonly high: number;
  /** 32 bits: 0, or the second half of the network. */
  readonly low: number;
}

/** IPv4 networks of which nobody comes from the Internet (RFC 6890): address, bits of the prefix. */
const PRIVATE_IPV4: ReadonlyArray<readonly [string, number]> = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
];

const PRIVATE_RANGES = PRIVATE_IPV4.map(([address, bits]) => {
  const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
  return { mask, network: (ipv4Word(address) & mask) >>> 0 };
});

/** Undefined for what is no address. A zone (`%eth0`) and a port, which some proxies add, do not count. */
export function networkOf(text: string): ClientNetwork | undefined {
  const address = bareAddress(text);
  if (isIPv4(address)) return { family: 4, high: ipv4Word(address), low: 0 };
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  const [, , , , , mark, first = 0, second = 0] = groups;
  // IPv4 in IPv6 (RFC 4291, 2.5.5.2): how a socket for both shows an IPv4 client.
  if (mark === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return { family: 4, high: wordOf(first, second), low: 0 };
  }
  const [a = 0, b = 0, c = 0, d = 0] = groups;
  return { family: 6, high: wordOf(a, b), low: wordOf(c, d) };
}

/**
 * Whether an address can tell one client from another. Loopback and private ones (RFC 1918, 4193, 6598, link-local) do not:
 * from the Internet nobody has one, so it is a proxy of ours that is not told apart from its clients, or the operator.
 */
export function tellsClientsApart({ family, high, low }: ClientNetwork): boolean {
  if (family === 4) return !PRIVATE_RANGES.some(({ mask, network }) => (high & mask) >>> 0 === network);
  if (high === 0 && low === 0) return false;
  const isUniqueLocal = high >>> 25 === 0xfc >>> 1;
  const isLinkLocal = high >>> 22 === 0xfe80 >>> 6;
  return !isUniqueLocal && !isLinkLocal;
}

/** A name for the network; undefined when the address does not tell clients apart. */
export function originOf(text: string): string | undefined {
  const network = networkOf(text);
  if (network === undefined || !tellsClientsApart(network)) return undefined;
  return `${network.family}:${network.high.toString(16)}:${network.low.toString(16)}`;
}

function bareAddress(text: string): string {
  const inBrackets = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1];
  const withoutPort = inBrackets ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text);
  const zone = withoutPort.indexOf('%');
  return zone < 0 ? withoutPort : withoutPort.slice(0, zone);
}

function ipv4Word(address: string): number {
  return address.split('.').reduce((word, part) => word * 256 + Number(part), 0);
}

/** The eight groups of an IPv6 address, however it is written (RFC 4291, 2.2). */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const first = groupNumbers(head);
  if (tail === undefined) return first;
  const last = groupNumbers(tail);
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function groupNumbers(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const word = ipv4Word(group);
    return [Math.floor(word / 0x1_0000), word % 0x1_0000];
  });
}

function wordOf(first: number, second: number): number {
  return first * 0x1_0000 + second;
}
