/** One buyer's visit: join → wait → hold → pay → order. Speaks only the public API, as a browser would. */
import { randomUUID } from 'node:crypto';
import { IDEMPOTENCY_KEY_HEADER, PROOF_OF_WORK_HEADER, pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Problem } from '@fest/server/contract/problems';
import type { Hold, Order, Payment, QueuePosition, QueueTicket } from '@fest/server/contract/schemas';
import type { BuyerPlan } from './behaviour.ts';
import { BUYER_LIMITS } from './limits.ts';
import type { Random } from './random.ts';
import type { Outcome, Step, SucceededPayment } from './report.ts';
import { decideRetry, pollDelayMs } from './retry.ts';
import type { SaleWatch } from './sale-watch.ts';
import type { Answer, BuyerRequest, Servers } from './servers.ts';
import type { Sleeper } from './sleeper.ts';
import type { Solver } from './solver.ts';
import type { Place, Tally } from './tally.ts';

/** What all buyers of a simulation share. */
export interface Scene {
  readonly saleId: number;
  readonly servers: Servers;
  readonly saleWatch: SaleWatch;
  readonly sleeper: Sleeper;
  readonly solver: Solver;
  readonly tally: Tally;
  readonly patienceMs: number;
  readonly onSucceeded: ((payment: SucceededPayment) => void) | undefined;
}

export interface Buyer {
  readonly index: number;
  /** Access token. */
  readonly token: string;
  readonly plan: BuyerPlan;
  readonly random: Random;
}

/** Ends a visit from anywhere inside it. */
class VisitEnded extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

/** A turn that was lost through no fault of the buyer: it joins again, a bounded number of times. */
const JOIN_AGAIN = Symbol('join again');
type JoinAgain = typeof JOIN_AGAIN;

export class Journey {
  readonly #scene: Scene;
  readonly #buyer: Buyer;
  readonly #authorization: Readonly<Record<string, string>>;
  #server: number;
  #place: Place = 'away';
  #giveUpAt = Number.POSITIVE_INFINITY;
  /** Falls to 1 when the wanted number of tickets is no longer there. */
  #quantity: number;
  #foundAllHeld = false;
  /** Once it was asked for; good for several joins. */
  #proof: Readonly<Record<string, string>> = {};

  constructor(scene: Scene, buyer: Buyer) {
    this.#scene = scene;
    this.#buyer = buyer;
    this.#authorization = { authorization: `Bearer ${buyer.token}` };
    this.#server = buyer.index;
    this.#quantity = buyer.plan.quantity;
  }

  async run(): Promise<Outcome> {
    const { sleeper, tally, patienceMs } = this.#scene;
    if (this.#buyer.plan.arriveAfterMs > 0) await sleeper.sleep(this.#buyer.plan.arriveAfterMs);
    if (sleeper.stopped) return 'gaveUp';
    tally.arrived();
    this.#moveTo('arriving');
    this.#giveUpAt = performance.now() + patienceMs;
    try {
      return await this.#visit();
    } catch (error) {
      if (error instanceof VisitEnded) return error.outcome;
      throw error;
    } finally {
      this.#moveTo('away');
    }
  }

  async #visit(): Promise<Outcome> {
    for (let round = 0; round < BUYER_LIMITS.rounds; round += 1) {
      const outcome = await this.#round();
      if (outcome !== JOIN_AGAIN) return outcome;
    }
    return 'admissionExpired';
  }

  async #round(): Promise<Outcome | JoinAgain> {
    const { plan } = this.#buyer;
    const ticket = await this.#join();
    this.#moveTo('waiting');
    const joinedAt = performance.now();
    for (;;) {
      if ((await this.#waitForTurn(ticket)) === JOIN_AGAIN) return JOIN_AGAIN;
      this.#scene.tally.admitted(performance.now() - joinedAt);
      this.#moveTo('active');
      if (!plan.holds) return 'neverHeld';
      const hold = await this.#hold(ticket.queueToken);
      if (hold === JOIN_AGAIN) return JOIN_AGAIN;
      if (hold === undefined) {
        this.#moveTo('waiting');
        continue;
      }
      return plan.pays ? this.#pay(hold) : 'neverPaid';
    }
  }

  async #join(): Promise<QueueTicket> {
    for (;;) {
      const path = pathOf('saleQueue', { saleId: this.#scene.saleId });
      const headers = { ...this.#authorization, ...this.#proof };
      const answer = await this.#ask('join', { method: 'POST', path, headers });
      if (answer.status === 200) return answer.body as QueueTicket;
      if (answer.code === 'challenge_required') {
        await this.#work(answer.body as Problem);
        continue;
      }
      // Scheduled, paused or everything held at the moment: whoever is patient looks again.
      if (answer.code !== 'sold_out' && answer.code !== 'sale_not_open')
        throw this.#unexpected('join', 'POST', path, answer);
      await this.#endIfOver();
      await this.#rest(BUYER_LIMITS.holdRetryMs);
    }
  }

  async #work({ challenge }: Problem): Promise<void> {
    const proof = challenge && (await this.#scene.solver.solve(challenge));
    this.#endIfOutOfPatience();
    if (proof === undefined) throw new Error('a challenge_required came without its challenge');
    this.#proof = { [PROOF_OF_WORK_HEADER]: proof };
  }

  /** Polls as told until it is this buyer's turn. */
  async #waitForTurn(ticket: QueueTicket): Promise<'admitted' | JoinAgain> {
    const path = pathOf('saleQueue', { saleId: this.#scene.saleId });
    const headers = { ...this.#authorization, [QUEUE_TOKEN_HEADER]: ticket.queueToken };
    let { admitted, pollAfterMs } = ticket;
    while (!admitted) {
      await this.#rest(pollAfterMs, true);
      if (this.#scene.saleWatch.over) throw new VisitEnded('soldOut');
      const answer = await this.#ask('poll', { method: 'GET', path, headers });
      if (answer.status !== 200) return this.#turnLost('poll', 'GET', path, answer);
      const position = answer.body as QueuePosition;
      ({ admitted, pollAfterMs } = position);
      if (!admitted && (position.phase === 'soldOut' || position.phase === 'closed')) await this.#endIfOver();
    }
    return 'admitted';
  }

  /** Undefined: it is not this buyer's turn after all (another server, a rebuilt sale); wait on. */
  async #hold(queueToken: string): Promise<Hold | JoinAgain | undefined> {
    const path = pathOf('saleHolds', { saleId: this.#scene.saleId });
    for (;;) {
      const headers = { ...this.#authorization, [QUEUE_TOKEN_HEADER]: queueToken, ...idempotencyKey() };
      const answer = await this.#ask('hold', { method: 'POST', path, headers, body: { quantity: this.#quantity } });
      if (answer.status === 200 || answer.status === 201) return answer.body as Hold;
      if (answer.code === 'limit_reached') throw new VisitEnded('limitReached');
      if (answer.code === 'not_admitted') {
        await this.#rest(BUYER_LIMITS.holdRetryMs);
        return undefined;
      }
      if (answer.code !== 'sold_out' && answer.code !== 'sale_not_open')
        return this.#turnLost('hold', 'POST', path, answer);
      this.#foundAllHeld = true;
      this.#quantity = 1;
      await this.#endIfOver();
      await this.#rest(BUYER_LIMITS.holdRetryMs);
    }
  }

  async #pay(hold: Hold): Promise<Outcome | JoinAgain> {
    const path = pathOf('holdPayments', { holdId: hold.holdId });
    // Whoever has tickets in hand waits for the payment with new patience.
    this.#giveUpAt = performance.now() + this.#scene.patienceMs;
    for (let attempt = 0; attempt < this.#buyer.plan.paymentAttempts; attempt += 1) {
      const headers = { ...this.#authorization, ...idempotencyKey() };
      const body = { method: this.#buyer.plan.method };
      const answer = await this.#ask('pay', { method: 'POST', path, headers, body });
      if (answer.code === 'hold_expired') return JOIN_AGAIN;
      if (answer.status !== 202) throw this.#unexpected('pay', 'POST', path, answer);
      const payment = await this.#waitForPayment(answer.body as Payment);
      if (payment.status === 'succeeded') return this.#bought(hold, payment);
      if (payment.status === 'refunded') return 'refunded';
    }
    await this.#release(hold);
    return 'declined';
  }

  async #waitForPayment(started: Payment): Promise<Payment> {
    const path = pathOf('payment', { paymentId: started.paymentId });
    let payment = started;
    while (payment.status === 'pending') {
      await this.#rest(payment.pollAfterMs ?? BUYER_LIMITS.paymentPollMs);
      const answer = await this.#ask('payment', { method: 'GET', path, headers: this.#authorization });
      if (answer.status !== 200) throw this.#unexpected('payment', 'GET', path, answer);
      payment = answer.body as Payment;
    }
    return payment;
  }

  async #bought(hold: Hold, payment: Payment): Promise<Outcome> {
    const { tally, saleId, onSucceeded } = this.#scene;
    const { paymentId, orderId = '' } = payment;
    // Recorded before anything else is asked: this answer is the promise that must survive every crash.
    const succeeded: SucceededPayment = {
      paymentId,
      orderId,
      saleId,
      buyer: this.#buyer.index,
      ticketNumbers: hold.ticketNumbers,
      atMs: Date.now(),
    };
    const index = tally.succeeded(succeeded);
    onSucceeded?.(succeeded);
    const path = pathOf('order', { orderId });
    const answer = await this.#ask('order', { method: 'GET', path, headers: this.#authorization });
    if (answer.status !== 200) throw this.#unexpected('order', 'GET', path, answer);
    const order = answer.body as Order;
    tally.corrected(
      index,
      order.tickets.map(({ ticketNumber }) => ticketNumber),
    );
    return 'bought';
  }

  /** A declined buyer hands the tickets back. Whatever the answer, they go back when the hold runs out. */
  async #release(hold: Hold): Promise<void> {
    const path = pathOf('hold', { holdId: hold.holdId });
    await this.#ask('release', { method: 'DELETE', path, headers: this.#authorization });
  }

  /** The queue token is no longer good: after a rebuild of the sale, or because the turn has passed. */
  #turnLost(step: Step, method: string, path: string, answer: Answer): JoinAgain {
    if (answer.code === 'bad_queue_token') return JOIN_AGAIN;
    if (answer.code !== 'admission_expired') throw this.#unexpected(step, method, path, answer);
    if (this.#foundAllHeld) return JOIN_AGAIN;
    throw new VisitEnded('admissionExpired');
  }

  #unexpected(step: Step, method: string, path: string, answer: Answer): VisitEnded {
    const detail = (answer.body as { detail?: unknown } | undefined)?.detail;
    this.#scene.tally.failed({
      step,
      method,
      path,
      status: answer.status,
      code: answer.code ?? '-',
      detail: typeof detail === 'string' ? detail : '',
    });
    return new VisitEnded('failed');
  }

  /** Sends until there is a final answer; the same request, with the same key, each time. */
  async #ask(step: Step, request: BuyerRequest): Promise<Answer> {
    const { servers, tally } = this.#scene;
    for (let attempt = 0; ; attempt += 1) {
      this.#endIfOutOfPatience();
      const startedAt = performance.now();
      const answer = await servers.send(this.#server, request);
      if (answer.status !== 0) tally.answered(step, answer.status, answer.code, performance.now() - startedAt);
      const retry = decideRetry(answer, attempt, this.#buyer.random);
      if (retry === undefined) return answer;
      this.#endIfOutOfPatience();
      tally.retried(retry.reason);
      if (retry.elsewhere) this.#server += 1;
      await this.#scene.sleeper.sleep(retry.afterMs);
    }
  }

  async #rest(milliseconds: number, queued = false): Promise<void> {
    await this.#scene.sleeper.sleep(pollDelayMs(milliseconds, this.#buyer.random), queued);
    this.#endIfOutOfPatience();
  }

  #endIfOutOfPatience(): void {
    if (this.#scene.sleeper.stopped || performance.now() > this.#giveUpAt) throw new VisitEnded('gaveUp');
  }

  async #endIfOver(): Promise<void> {
    if (await this.#scene.saleWatch.isOver()) throw new VisitEnded('soldOut');
  }

  #moveTo(place: Place): void {
    this.#scene.tally.moved(this.#place, place);
    this.#place = place;
  }
}

function idempotencyKey(): Record<string, string> {
  return { [IDEMPOTENCY_KEY_HEADER]: randomUUID() };
}
