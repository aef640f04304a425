/** How many sockets there may be, in all and from one address. */
import { isIPv4, isIPv6 } from 'node:net';

export interface SeatLimits {
  readonly sockets: number;
  /** 0: as many as there are. */
  readonly perAddress: number;
}

/** `full`: the process has no room. `crowded`: it has, but not for one more from this address. */
export type Vacancy = 'free' | 'full' | 'crowded';

export class Seats {
  readonly #limits: SeatLimits;
  readonly #byOrigin = new Map<string, number>();
  #taken = 0;

  constructor(limits: SeatLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  get areTaken(): boolean {
    return this.#taken >= this.#limits.sockets;
  }

  /** @param origin see `originOf` */
  vacancy(origin: string): Vacancy {
    const { perAddress } = this.#limits;
    if (this.areTaken) return 'full';
    if (perAddress > 0 && (this.#byOrigin.get(origin) ?? 0) >= perAddress) return 'crowded';
    return 'free';
  }

  take(origin: string): void {
    this.#taken += 1;
    this.#byOrigin.set(origin, (this.#byOrigin.get(origin) ?? 0) + 1);
  }

  /** Of a seat that was taken. */
  leave(origin: string): void {
    this.#taken -= 1;
    const left = (this.#byOrigin.get(origin) ?? 0) - 1;
    if (left > 0) this.#byOrigin.set(origin, left);
    else this.#byOrigin.delete(origin);
  }
}

/** Behind a proxy the address is what a header says, and that may be anything. */
const NO_ADDRESS = 'unknown';

/**
 * What counts as one address: an IPv4 address, or the 64 bits of an IPv6 network, of which one household has all. Whatever is
 * neither counts as one, together. Never a part of `address`, which may be a part of a long header: V8 would keep the whole.
 */
export function originOf(address: string): string {
  const ipv4 = address.replace(/^::ffff:/i, '');
  if (isIPv4(ipv4)) return ipv4.split('.').map(Number).join('.');
  if (!isIPv6(address)) return NO_ADDRESS;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...new Array<string>(zeros).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
