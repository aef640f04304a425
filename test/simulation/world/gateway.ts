/**
 * The simulated payment gateway: somebody else's system, which never loses what it has decided, takes its time, and whose
 * answers get lost. It keeps its contract (see `PaymentGateway`): one charge a payment id, and after `notFound` no charge.
 */
import type {
  ChargeRequest,
  GatewayOutcome,
  GatewayRecord,
  PaymentGateway,
} from '@fest/server/features/payments/gateway';
import { LIMITS } from '@fest/server/limits';
import type { SimulatedProcess } from './machine.ts';
import type { Network } from './network.ts';

export interface Charge extends ChargeRequest {
  readonly outcome: 'captured' | 'declined';
  /** What was taken: now and then, by a fault of the gateway, not what was asked for. */
  readonly taken: number;
  /** From when on the outcome stands, Unix milliseconds. */
  readonly decidedAtMs: number;
  refunded: boolean;
}

export interface GatewayFaults {
  /** Shares of requests: never arrive, or are answered into the void. */
  readonly lostRequests: number;
  readonly lostAnswers: number;
  readonly declines: number;
  readonly wrongAmounts: number;
  /** Half of the decisions take less, milliseconds. */
  readonly decisionMs: number;
}

export interface GatewayObserver {
  charged(charge: Charge): void;
  refunded(charge: Charge): void;
}

/** The other side: one ledger for all servers. */
export class GatewayLedger {
  readonly network: Network;
  readonly #charges = new Map<string, Charge>();
  readonly #voided = new Set<string>();
  readonly #observer: GatewayObserver;
  faults: GatewayFaults;

  constructor(network: Network, faults: GatewayFaults, observer: GatewayObserver) {
    this.network = network;
    this.faults = faults;
    this.#observer = observer;
  }

  get charges(): ReadonlyMap<string, Charge> {
    return this.#charges;
  }

  charge(request: ChargeRequest): Charge | undefined {
    if (this.#voided.has(request.paymentId)) return undefined;
    const known = this.#charges.get(request.paymentId);
    if (known !== undefined) return known;
    const { random, loop } = this.network;
    const { declines, wrongAmounts, decisionMs } = this.faults;
    const charge: Charge = {
      ...request,
      outcome: random.chance(declines) ? 'declined' : 'captured',
      taken: random.chance(wrongAmounts) ? request.amount + 1 : request.amount,
      decidedAtMs: loop.nowMs + random.delayMs(decisionMs),
      refunded: false,
    };
    this.#charges.set(request.paymentId, charge);
    if (charge.outcome === 'captured') this.#observer.charged(charge);
    return charge;
  }

  lookup(paymentId: string): GatewayRecord {
    const charge = this.#charges.get(paymentId);
    if (charge === undefined) {
      this.#voided.add(paymentId);
      return { kind: 'notFound' };
    }
    if (charge.decidedAtMs > this.network.loop.nowMs) return { kind: 'processing' };
    return charge.outcome === 'declined'
      ? { kind: 'declined', failureCode: 'card_declined' }
      : { kind: 'captured', amount: charge.taken, currency: charge.currency, refunded: charge.refunded };
  }

  refund(paymentId: string): 'refunded' | 'notFound' {
    const charge = this.#charges.get(paymentId);
    if (charge?.outcome !== 'captured') return 'notFound';
    if (!charge.refunded) {
      charge.refunded = true;
      this.#observer.refunded(charge);
    }
    return 'refunded';
  }
}

/** What one server has of the gateway. */
export function createGatewayClient(ledger: GatewayLedger, process: SimulatedProcess): PaymentGateway {
  const { loop, random } = ledger.network;

  /** Asks over the network; `lost` when no answer comes. */
  function ask<Answer>(work: () => Answer, answeredAtMs: (answer: Answer) => number, lost: Answer): Promise<Answer> {
    return new Promise((resolve) => {
      let settled = false;
      const settle = (answer: Answer): void => {
        if (settled) return;
        settled = true;
        timeout.run = undefined;
        resolve(answer);
      };
      const timeout = loop.schedule(LIMITS.gatewayTimeoutMs, process, () => settle(lost));
      if (random.chance(ledger.faults.lostRequests)) return;
      // Requests take ways of their own: one may arrive long after those that were sent later.
      const wayMs = random.delayMs(random.chance(0.02) ? 500 : 5);
      loop.schedule(
        wayMs,
        undefined,
        () => {
          const answer = work();
          if (random.chance(ledger.faults.lostAnswers)) return;
          const waitMs = Math.max(0, answeredAtMs(answer) - loop.nowMs);
          loop.schedule(waitMs + random.delayMs(5), process, () => settle(answer));
        },
        true,
      );
    });
  }

  return {
    async charge(request): Promise<GatewayOutcome> {
      const charge = await ask<Charge | undefined | 'lost'>(
        () => ledger.charge(request),
        (answer) => (answer === undefined || answer === 'lost' ? 0 : answer.decidedAtMs),
        'lost',
      );
      if (charge === 'lost') return { kind: 'unknown', reason: 'no answer' };
      if (charge === undefined) return { kind: 'declined', failureCode: 'request_voided' };
      return charge.outcome === 'captured'
        ? { kind: 'captured', amount: charge.taken, currency: charge.currency }
        : { kind: 'declined', failureCode: 'card_declined' };
    },
    lookup: (paymentId) =>
      ask<GatewayRecord>(
        () => ledger.lookup(paymentId),
        () => 0,
        { kind: 'unknown', reason: 'no answer' },
      ),
    refund: (paymentId) =>
      ask<'refunded' | 'notFound' | 'unknown'>(
        () => ledger.refund(paymentId),
        () => 0,
        'unknown',
      ),
    check: () => Promise.resolve({ kind: 'answers' }),
    close: () => Promise.resolve(),
  };
}
