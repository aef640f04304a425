/**
 * Holds a gateway to its contract, whoever wrote the adapter: every call is answered within a time, and with an outcome. A
 * call that hangs or throws would else leave a payment waiting until the process ends. What the gateway did with it is not
 * known then, which is an answer like any other: it is looked up, or asked for again.
 */
import { LIMITS } from '../../limits.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { traced } from '../../platform/request-context.ts';
import type { PaymentGateway } from './gateway.ts';

/** @param timeoutMs after this the answer is `unknown`, milliseconds */
export function boundedGateway(gateway: PaymentGateway, timeoutMs: number = LIMITS.gatewayTimeoutMs): PaymentGateway {
  async function bounded<Answer>(
    name: string,
    work: () => Promise<Answer>,
    unknown: (reason: string) => Answer,
  ): Promise<Answer> {
    // An adapter may throw before it has a promise to give.
    const ask = () =>
      withDeadline(Promise.resolve().then(work), timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`));
    try {
      return await traced(`gateway ${name}`, ask);
    } catch (error) {
      return unknown(error instanceof Error ? error.message : String(error));
    }
  }
  const unknown = (reason: string) => ({ kind: 'unknown', reason }) as const;
  return {
    charge: (request) => bounded('charge', () => gateway.charge(request), unknown),
    lookup: (paymentId) => bounded('lookup', () => gateway.lookup(paymentId), unknown),
    refund: (paymentId) =>
      bounded(
        'refund',
        () => gateway.refund(paymentId),
        () => 'unknown',
      ),
    check: () => bounded('check', () => gateway.check(), unknown),
    close: () => gateway.close(),
  };
}
