import type {
  ChargeRequest,
  GatewayCheck,
  GatewayOutcome,
  GatewayRecord,
  PaymentGateway,
} from '@fest/server/features/payments/gateway';

/** A payment gateway that says what a test tells it to, and remembers what it was asked. Captures everything at first. */
export class GatewayStub implements PaymentGateway {
  readonly charges: ChargeRequest[] = [];
  readonly refunds: string[] = [];
  readonly #outcomes = new Map<string, GatewayOutcome>();
  #outcomeOf: (request: ChargeRequest) => GatewayOutcome = ({ amount, currency }) => ({
    kind: 'captured',
    amount,
    currency,
  });
  #gate: Promise<void> = Promise.resolve();

  /** From now on charges are decided like this. */
  decide(outcomeOf: (request: ChargeRequest) => GatewayOutcome): void {
    this.#outcomeOf = outcomeOf;
  }

  /** Charges asked for from now on get no answer until the returned function is called. */
  stall(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  async charge(request: ChargeRequest): Promise<GatewayOutcome> {
    this.charges.push(request);
    await this.#gate;
    const outcome = this.#outcomes.get(request.paymentId) ?? this.#outcomeOf(request);
    this.#outcomes.set(request.paymentId, outcome);
    return outcome;
  }

  async lookup(paymentId: string): Promise<GatewayRecord> {
    const outcome = this.#outcomes.get(paymentId);
    if (outcome === undefined) return { kind: 'notFound' };
    return outcome.kind === 'captured' ? { ...outcome, refunded: this.refunds.includes(paymentId) } : outcome;
  }

  async refund(paymentId: string): Promise<'refunded' | 'notFound'> {
    if (this.#outcomes.get(paymentId)?.kind !== 'captured') return 'notFound';
    if (!this.refunds.includes(paymentId)) this.refunds.push(paymentId);
    return 'refunded';
  }

  async check(): Promise<GatewayCheck> {
    await this.#gate;
    return { kind: 'answers' };
  }

  async close(): Promise<void> {}
}
