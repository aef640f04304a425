/** When each client had which change. Pure. */

/** Milliseconds since 1970, with fractions. */
export type Instant = number;

export interface Change {
  /** Of the first state that holds it. */
  readonly sequence: number;
  readonly askedAt: Instant;
}

export interface Delays {
  /** From asking for a change until a client had it; `Infinity` for a client that never did. */
  readonly ofChanges: Float64Array;
  /** From when the first client had it until this one had it. */
  readonly fromFirst: Float64Array;
}

export class Receipts {
  readonly #clients: number;
  readonly #newest: Int32Array;
  /** By sequence: when each client had it. */
  readonly #arrivals = new Map<number, Float64Array>();
  messages = 0;

  constructor(clients: number) {
    this.#clients = clients;
    this.#newest = new Int32Array(clients);
  }

  /** A client has a state; with it it has all changes before. Repeated states (keep-alives) count once. */
  note(client: number, sequence: number, at: Instant): void {
    this.messages += 1;
    const before = this.#newest[client] ?? 0;
    if (sequence <= before) return;
    this.#newest[client] = sequence;
    // The first state is the present one, whatever came before it.
    const first = before === 0 ? sequence : before + 1;
    for (let each = first; each <= sequence; each += 1) this.#arrivalOf(each)[client] = at;
  }

  #arrivalOf(sequence: number): Float64Array {
    const known = this.#arrivals.get(sequence);
    if (known !== undefined) return known;
    const arrival = new Float64Array(this.#clients).fill(Number.POSITIVE_INFINITY);
    this.#arrivals.set(sequence, arrival);
    return arrival;
  }

  allHave(sequence: number): boolean {
    return this.#newest.every((newest) => newest >= sequence);
  }

  delaysOf(changes: readonly Change[]): Delays {
    const ofChanges = new Float64Array(changes.length * this.#clients).fill(Number.POSITIVE_INFINITY);
    const fromFirst = new Float64Array(ofChanges);
    for (const [index, { sequence, askedAt }] of changes.entries()) {
      const arrival = this.#arrivals.get(sequence);
      if (arrival === undefined) continue;
      const firstAt = arrival.reduce((first, at) => Math.min(first, at));
      for (let client = 0; client < this.#clients; client += 1) {
        const at = arrival[client] ?? Number.POSITIVE_INFINITY;
        ofChanges[index * this.#clients + client] = at - askedAt;
        fromFirst[index * this.#clients + client] = at - firstAt;
      }
    }
    return { ofChanges, fromFirst };
  }
}

/** By nearest rank. @param sorted ascending */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
