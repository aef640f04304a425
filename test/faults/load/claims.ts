/** What buyers remember of having been told. In the end the stores and the gateway have to agree with all of it. */

export type Told = 'pending' | 'succeeded' | 'failed' | 'refunded';

export interface Claim {
  readonly saleId: number;
  readonly accountId: number;
  readonly paymentId: string;
  /** Minor units, as the hold said. */
  readonly amount: number;
  /** How many tickets were paid. */
  readonly quantity: number;
  /** The last outcome a server stated; `pending` when none has. */
  told: Told;
  /** With `succeeded`. */
  orderId?: string;
  /** As the order said when the buyer looked at it. */
  ticketNumbers?: readonly number[];
  /** `asked`: the buyer sent a cancellation and does not know whether it arrived. `promised`: a server accepted it. */
  cancellation?: 'asked' | 'promised';
}

export class Claims {
  readonly #bySale = new Map<number, Claim[]>();
  readonly #byPayment = new Map<string, Claim>();
  #succeeded = 0;

  /** Orders buyers have been told of. */
  get succeeded(): number {
    return this.#succeeded;
  }

  get size(): number {
    return this.#byPayment.size;
  }

  /** A server has accepted a payment. The same payment again, told under the same key, is the same claim. */
  accepted(claim: Omit<Claim, 'told'>): Claim {
    const known = this.#byPayment.get(claim.paymentId);
    if (known !== undefined) return known;
    const added: Claim = { ...claim, told: 'pending' };
    this.#byPayment.set(claim.paymentId, added);
    const ofSale = this.#bySale.get(claim.saleId);
    if (ofSale === undefined) this.#bySale.set(claim.saleId, [added]);
    else ofSale.push(added);
    return added;
  }

  /** A server has stated an outcome. */
  stated(claim: Claim, told: Exclude<Told, 'pending'>, orderId?: string): void {
    claim.told = told;
    if (orderId !== undefined) claim.orderId = orderId;
    if (told === 'succeeded') this.#succeeded += 1;
  }

  of(saleId: number): readonly Claim[] {
    return this.#bySale.get(saleId) ?? [];
  }

  all(): Iterable<Claim> {
    return this.#byPayment.values();
  }
}
