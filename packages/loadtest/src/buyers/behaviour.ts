/** What one simulated buyer has in mind, decided before it starts: pure, and the same for the same seed. */
import { PAYMENT_METHODS, type PaymentMethod } from '@fest/server/contract/words';
import { createRandom, drawIndex } from './random.ts';

export interface Behaviour {
  /** Share of the admitted who never take tickets, 0…1. */
  readonly neverHoldShare: number;
  /** Share of those with a hold who never pay, 0…1. */
  readonly neverPayShare: number;
  /** How many tickets buyers want: the weight of one ticket, of two, of three … */
  readonly quantityWeights: readonly number[];
  /** How long a buyer waits for its turn, and then again for its payment, before it gives up. */
  readonly patienceMs: number;
  /** Payments the most patient buyer tries before it accepts that it is declined; others give up earlier. At least 1. */
  readonly paymentAttempts: number;
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  neverHoldShare: 0.05,
  neverPayShare: 0.05,
  quantityWeights: [5, 3, 1, 1],
  patienceMs: 300_000,
  paymentAttempts: 3,
};

export interface BuyerPlan {
  /** Milliseconds after the start. */
  readonly arriveAfterMs: number;
  readonly holds: boolean;
  readonly pays: boolean;
  readonly quantity: number;
  /** Payments it tries: 1 … `paymentAttempts`, all equally often. */
  readonly paymentAttempts: number;
  readonly method: PaymentMethod;
}

/** Arrivals are spread evenly (at random) over `arriveOverMs`; 0 means all at once. */
export function planBuyer(seed: string, index: number, behaviour: Behaviour, arriveOverMs: number): BuyerPlan {
  const random = createRandom(`${seed}/${index}`);
  // Every draw happens in every case: changing one share then leaves the other decisions of a buyer as they were.
  return {
    arriveAfterMs: Math.floor(random() * arriveOverMs),
    holds: random() >= behaviour.neverHoldShare,
    pays: random() >= behaviour.neverPayShare,
    quantity: drawIndex(random, behaviour.quantityWeights) + 1,
    paymentAttempts: 1 + Math.floor(random() * behaviour.paymentAttempts),
    method: PAYMENT_METHODS[drawIndex(random, [8, 1, 1])] ?? 'card',
  };
}
