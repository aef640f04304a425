/** How many sockets there may be, in all and from one address. */
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

  /** @param origin see `originOf`; whoever has none is not counted together with others */
  vacancy(origin: string | undefined): Vacancy {
    const { perAddress } = this.#limits;
    if (this.areTaken) return 'full';
    if (origin !== undefined && perAddress > 0 && (this.#byOrigin.get(origin) ?? 0) >= perAddress) return 'crowded';
    return 'free';
  }

  take(origin: string | undefined): void {
    this.#taken += 1;
    if (origin === undefined) return;
    this.#byOrigin.set(origin, (this.#byOrigin.get(origin) ?? 0) + 1);
  }

  /** Of a seat that was taken. */
  leave(origin: string | undefined): void {
    this.#taken -= 1;
    if (origin === undefined) return;
    const left = (this.#byOrigin.get(origin) ?? 0) - 1;
    if (left > 0) this.#byOrigin.set(origin, left);
    else this.#byOrigin.delete(origin);
  }
}
