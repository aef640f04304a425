import { ROUTES } from '../../contract/paths.ts';
import { HoldParameters, Payment, PaymentInput, PaymentParameters } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import { OrderLogError, OrderLogRefusedError } from '../../order-log/errors.ts';
import type { PaymentIntent } from '../../order-log/records.ts';
import { type Action, answerAction, PLAIN_ID } from '../../platform/action.ts';
import type { Authentication } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { idempotencyKeyReused, type RepeatableRequest, repeatableRequest } from '../../platform/idempotency-key.ts';
import { newId, saleOfId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import type { ShortWay } from '../../platform/short-way.ts';
import { runOf } from '../../redis/run-id.ts';
import type { Services } from '../../services.ts';
import { findForSure, isSameState } from '../stock/find-for-sure.ts';
import type { LiveSale, LiveSales } from '../stock/live-sales.ts';
import { type SaleDirectory, saleRecovering } from '../stock/require-live-sale.ts';
import { holdNotFound } from '../stock/routes.ts';
import type { PaymentProcessor } from './payment-processor.ts';
import { PendingDoubts } from './pending-doubts.ts';
import {
  type ArchivedPayment,
  beginPayment,
  failPayment,
  findArchivedPayment,
  findPayment,
  type LivePayment,
  type StoredPayment,
} from './store.ts';

export interface PaymentDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly processor: PaymentProcessor;
  readonly logId: string;
  readonly shortWay: Pick<ShortWay, 'add'>;
}

function paymentDocument(paymentId: string, payment: StoredPayment): Payment {
  const { status, orderId, failureCode } = payment;
  return {
    paymentId,
    status,
    ...(orderId === undefined ? {} : { orderId }),
    ...(failureCode === undefined ? {} : { failureCode }),
    ...(status === 'pending' ? { pollAfterMs: LIMITS.paymentPollMs } : {}),
  };
}

/** Its outcome is not known now; whatever Redis remembers of one is not told. */
function stillPending({ accountId }: LivePayment): StoredPayment {
  return { accountId, status: 'pending' };
}

/** Begun in Redis in an epoch that is over, and in no order log: nobody was ever charged for it. */
function withoutRecord(payment: LivePayment, epoch: number): StoredPayment {
  // An order that MySQL does not know contradicts that; what can be waited for is waited for.
  if (payment.epoch >= epoch || payment.status === 'succeeded') return stillPending(payment);
  return { accountId: payment.accountId, status: 'failed', failureCode: 'not_charged' };
}

export function registerPaymentRoutes(app: FestApp, dependencies: PaymentDependencies): void {
  const { services, authentication, live, directory, processor, logId, shortWay } = dependencies;
  const { redis, mysql, clock } = services;
  const doubts = new PendingDoubts({ redis, mysql, clock });

  async function paymentOf(saleId: number, paymentId: string, accountId: number): Promise<StoredPayment> {
    // What nearly everybody who asks is told the first time, without a command.
    if (processor.accountOfFreshlyBegun(paymentId) === accountId) return { accountId, status: 'pending' };
    const payment = await findForSure(live, saleId, () => findPaymentNow(saleId, paymentId));
    if (payment?.accountId !== accountId) throw paymentNotFound();
    return payment;
  }

  /** Anybody can make up a payment's id: sales that do not exist are not looked for in Redis. */
  async function isSale(saleId: number): Promise<boolean> {
    return live.get(saleId) !== undefined || (await directory.getSale(saleId)) !== undefined;
  }

  /** @param sale its state in Redis before this is asked, if that can be trusted */
  async function findArchived(
    saleId: number,
    paymentId: string,
    sale: LiveSale | undefined,
  ): Promise<StoredPayment | undefined> {
    const archived = await findArchivedPayment(mysql, paymentId).catch((error: unknown): ArchivedPayment => {
      // This process is the one that will know, and does not know yet.
      const accountId = processor.accountOfUndecided(paymentId);
      if (accountId === undefined || !isStoreFailure(error)) throw error;
      return { accountId, status: 'pending' };
    });
    if (archived?.isCancelling !== true) return archived;
    // Redis may have told a moment ago, before it was wiped, that the money is back, and MySQL has not heard of it yet: unless it
    // has the state it had, nobody knows.
    const now = await live.reread(saleId);
    if (sale === undefined || now === undefined || !isSameState(sale, now)) throw saleRecovering();
    return archived;
  }

  /**
   * Redis knows the payments that were begun, or ended, in the present epoch and the present Redis process. Whatever else it
   * has is a memory, perhaps of an older snapshot, and its outcomes are as old: `succeeded` may have been given back since. A
   * rebuild has brought every intent and every outcome of the epochs before it into MySQL.
   */
  async function findPaymentNow(saleId: number, paymentId: string): Promise<StoredPayment | undefined> {
    const payment = await findPayment(redis, saleId, paymentId);
    // Asked after the reply: whatever an older process said before it went is as good as unknown.
    const run = runOf(redis);
    const isInFlight = processor.isInFlight(paymentId);
    if (payment?.status === 'pending' && isInFlight) return payment;
    const sale = await live.load(saleId);
    // Later than the epoch that is known here: another server has noticed a new one before this one.
    if (payment !== undefined && sale !== undefined && payment.run === run && payment.epoch >= sale.snapshot.epoch) {
      return payment.status === 'pending' ? doubts.confirm(saleId, paymentId, payment) : payment;
    }
    if (payment !== undefined && isInFlight) return stillPending(payment);
    const archived = await findArchived(saleId, paymentId, sale);
    // While the sale is being rebuilt the archive may not have heard of it, or of its end, yet.
    const isOver = payment !== undefined && payment.status !== 'pending';
    if (sale === undefined && (archived === undefined || (isOver && archived.status === 'pending'))) {
      throw saleRecovering();
    }
    return archived ?? (payment && sale && withoutRecord(payment, sale.snapshot.epoch));
  }

  const pay: Action<Payment, typeof PaymentInput> = {
    method: 'POST',
    route: ROUTES.holdPayments,
    parameter: PLAIN_ID,
    role: 'buyer',
    body: PaymentInput,
    async run(request, { parameter: holdId, account: { accountId } }) {
      const { method } = request.body;
      const saleId = saleOfId('hold', holdId);
      const sale = saleId === undefined ? undefined : await directory.getSale(saleId);
      if (saleId === undefined || sale === undefined) throw holdNotFound();
      const liveSale = await live.load(saleId);
      if (liveSale === undefined) throw saleRecovering();
      const { epoch } = liveSale.snapshot;
      if (!processor.hasRoom()) throw paymentsFull();
      const nowMs = clock.nowMs();
      const repeatable = repeatableRequest(request);
      const begun = await beginPayment(redis, {
        saleId,
        epoch,
        accountId,
        holdId,
        paymentId: newId('payment', saleId, nowMs),
        method,
        logId,
        nowMs,
        request: repeatable,
      });
      switch (begun.status) {
        case 'started': {
          const { paymentId, amount, ticketNumbers } = begun;
          const { currency } = sale;
          await startOrGiveBack(repeatable, {
            type: 'paymentIntent',
            saleId,
            epoch,
            at: nowMs,
            paymentId,
            holdId,
            accountId,
            ticketNumbers,
            amount,
            currency,
            method,
          });
          return { status: 202, document: paymentDocument(paymentId, { accountId, status: 'pending' }) };
        }
        case 'repeated': {
          const { paymentId } = begun;
          return { status: 202, document: paymentDocument(paymentId, await paymentOf(saleId, paymentId, accountId)) };
        }
        case 'notFound':
          throw holdNotFound();
        case 'holdExpired':
          throw new ProblemError(
            'hold_expired',
            'The hold ended before you paid and its tickets went back. Join the line again.',
          );
        case 'keyReused':
          throw idempotencyKeyReused();
        default:
          throw saleRecovering();
      }
    },
  };
  shortWay.add(pay);
  app.post(
    pay.route,
    {
      schema: {
        tags: ['holds and payments'],
        summary: 'Pay a hold; ask for the outcome at GET /payments/{paymentId}',
        params: HoldParameters,
        body: PaymentInput,
        response: { 202: Payment },
      },
      config: { roles: ['buyer'], remembersKey: true },
      onRequest: authentication.requireRole(pay.role),
    },
    (request, reply) => answerAction(pay, request, reply),
  );

  /** When the log cannot take the intent, nothing is charged and the hold can be paid again, also by the same request. */
  async function startOrGiveBack({ idempotencyKey }: RepeatableRequest, intent: PaymentIntent): Promise<void> {
    try {
      await processor.start(intent);
    } catch (error) {
      // The sale is being built anew: nothing was charged, and the hold ended with its epoch.
      if (error instanceof OrderLogRefusedError && error.reason === 'staleEpoch') throw saleRecovering();
      if (!(error instanceof OrderLogError)) throw error;
      if (error.code === 'full') {
        await failPayment(redis, intent, intent.epoch, 'not_started', clock.nowMs(), idempotencyKey);
      }
      throw paymentsFull();
    }
  }

  const lookUp: Action<Payment> = {
    method: 'GET',
    route: ROUTES.payment,
    parameter: PLAIN_ID,
    role: 'buyer',
    async run(_request, { parameter: paymentId, account: { accountId } }) {
      const saleId = saleOfId('payment', paymentId);
      if (saleId === undefined || !(await isSale(saleId))) throw paymentNotFound();
      return { status: 200, document: paymentDocument(paymentId, await paymentOf(saleId, paymentId, accountId)) };
    },
  };
  shortWay.add(lookUp);
  app.get(
    lookUp.route,
    {
      schema: {
        tags: ['holds and payments'],
        summary: 'The outcome of a payment; `succeeded` is said only when the order is on disk',
        params: PaymentParameters,
        response: { 200: Payment },
      },
      config: { roles: ['buyer'] },
      onRequest: authentication.requireRole(lookUp.role),
    },
    (request, reply) => answerAction(lookUp, request, reply),
  );
}

function paymentNotFound(): ProblemError {
  return new ProblemError('not_found', 'You have no such payment.');
}

function paymentsFull(): ProblemError {
  return new ProblemError(
    'overloaded',
    'No payment can be started this moment. Nothing was charged; your hold stays.',
    {
      retryAfterMs: 1_000,
    },
  );
}
