/**
 * One buyer's visit: join → wait → hold → pay → outcome, and perhaps a cancellation. It does what a sensible client does:
 * repeats under the same key, goes to another server, joins again when its place is gone, and never gives up on money.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@fest/loadtest/buyers/random';
import type { Sleeper } from '@fest/loadtest/buyers/sleeper';
import { IDEMPOTENCY_KEY_HEADER, pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Hold, Order, Payment, QueuePosition, QueueTicket } from '@fest/server/contract/schemas';
import type { ApiClient, ApiRequest, Reply } from './api-client.ts';
import type { Claim, Claims } from './claims.ts';
import type { SaleEntry } from './sale-book.ts';
import type { Outcome, Tally } from './tally.ts';
import type { VisitPlan } from './visit-plan.ts';

/** What all visits share. */
export interface Scene {
  readonly client: ApiClient;
  readonly claims: Claims;
  readonly tally: Tally;
  /** Changes whenever Redis loses data: holds and remembered keys from before may be gone. */
  readonly redisLosses: () => number;
  /** Where buyers without tickets wait; stopped when they should go home. */
  readonly waiting: Sleeper;
}

export interface VisitOptions {
  readonly sale: SaleEntry;
  readonly accountId: number;
  /** Access token. */
  readonly token: string;
  readonly plan: VisitPlan;
  readonly random: Random;
  /** Any number: which server to begin with. */
  readonly server: number;
  /** For measuring: only that server, and without waiting as long as it asks to. May be changed while it runs. */
  readonly pinned?: () => boolean;
  /** Called when the buyer has bought: what it does from then on is in no hurry. */
  readonly onBought?: () => void;
}

/** Ends a visit from anywhere inside it. */
class VisitEnded extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

/** The place in the line or the hold is gone through no fault of the buyer. */
const JOIN_AGAIN = Symbol('join again');
type JoinAgain = typeof JOIN_AGAIN;

interface HeldTickets {
  readonly hold: Hold;
  /** `Scene.redisLosses` when it was taken. */
  readonly losses: number;
}

/** A payment that was accepted, and what became of it. */
interface Paid {
  readonly outcome: Exclude<Claim['told'], 'pending'> | 'forgotten';
  readonly claim: Claim;
  readonly request: ApiRequest;
}

const ROUNDS = 20;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_LONGEST_MS = 1_000;
const PINNED_WAIT_MS = 60;
const IN_PROGRESS_MS = 300;
const REFUSED_MS = 1_000;
const CANCEL_LONGEST_MS = 10_000;
/** An order or payment a buyer was told of may be unknown for a moment after a crash; not for longer than this. */
const UNKNOWN_MS = 45_000;
const UNKNOWN_RETRY_MS = 400;

export class Visit {
  readonly #scene: Scene;
  readonly #options: VisitOptions;
  readonly #authorization: Readonly<Record<string, string>>;
  #server: number;
  /** Requests sent so far. */
  #sent = 0;
  #step = 'join';
  #lastAnswer = 'no answer yet';

  constructor(scene: Scene, options: VisitOptions) {
    this.#scene = scene;
    this.#options = options;
    this.#authorization = { authorization: `Bearer ${options.token}` };
    this.#server = options.server;
  }

  /** What it asked for last, and what it was told: for a note about those who stay long. */
  get doing(): string {
    return `${this.#step}: ${this.#lastAnswer}`;
  }

  async run(): Promise<Outcome> {
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const outcome = await this.#round();
        if (outcome !== JOIN_AGAIN) return outcome;
      }
      return 'gaveUp';
    } catch (error) {
      if (error instanceof VisitEnded) return error.outcome;
      throw error;
    }
  }

  async #round(): Promise<Outcome | JoinAgain> {
    const { plan } = this.#options;
    const queueToken = await this.#enter();
    if (queueToken === JOIN_AGAIN) return JOIN_AGAIN;
    if (plan.leaves === 'beforeHold') return 'neverHeld';
    const held = await this.#hold(queueToken);
    if (held === JOIN_AGAIN) return JOIN_AGAIN;
    if (plan.leaves === 'beforePaying') return 'neverPaid';
    if (plan.leaves === 'releasing') return this.#release(held);
    return this.#pay(held);
  }

  /** Joins and polls until it is this buyer's turn. */
  async #enter(): Promise<string | JoinAgain> {
    const path = pathOf('saleQueue', { saleId: this.#options.sale.id });
    const joined = await this.#ask('join', { method: 'POST', path, headers: this.#authorization });
    this.#endIfOver(joined);
    if (joined.status !== 200) throw this.#surprise('join', path, joined);
    const { queueToken, ...first } = joined.body as QueueTicket;
    let { admitted, pollAfterMs } = first;
    const headers = { ...this.#authorization, [QUEUE_TOKEN_HEADER]: queueToken };
    while (!admitted) {
      await this.#rest(pollAfterMs);
      const polled = await this.#ask('poll', { method: 'GET', path, headers });
      if (isTurnLost(polled)) return JOIN_AGAIN;
      if (polled.status !== 200) throw this.#surprise('poll', path, polled);
      const position = polled.body as QueuePosition;
      ({ admitted, pollAfterMs } = position);
      if (!admitted && (position.phase === 'soldOut' || position.phase === 'closed')) throw new VisitEnded('soldOut');
    }
    return queueToken;
  }

  async #hold(queueToken: string): Promise<HeldTickets | JoinAgain> {
    const { sale, plan } = this.#options;
    const path = pathOf('saleHolds', { saleId: sale.id });
    const headers = { ...this.#authorization, [QUEUE_TOKEN_HEADER]: queueToken, ...newKey() };
    const request: ApiRequest = { method: 'POST', path, headers, body: { quantity: plan.quantity } };
    await this.#loseReply(request, plan.holdReplyLostAfterMs);
    for (;;) {
      const losses = this.#scene.redisLosses();
      const reply = await this.#ask('hold', request);
      if (reply.status === 200 || reply.status === 201) return { hold: reply.body as Hold, losses };
      if (reply.code === 'limit_reached') throw new VisitEnded('limitReached');
      this.#endIfOver(reply);
      if (isTurnLost(reply)) return JOIN_AGAIN;
      // Another server, which is a moment behind the one that said that it is this buyer's turn.
      if (reply.code !== 'not_admitted') throw this.#surprise('hold', path, reply);
      await this.#rest(REFUSED_MS / 4);
    }
  }

  async #release({ hold, losses }: HeldTickets): Promise<Outcome> {
    const path = pathOf('hold', { holdId: hold.holdId });
    const reply = await this.#ask('release', { method: 'DELETE', path, headers: this.#authorization });
    if (reply.status !== 204 && !this.#mayBeGone(reply, losses)) throw this.#surprise('release', path, reply);
    return 'released';
  }

  async #pay(held: HeldTickets): Promise<Outcome | JoinAgain> {
    const { plan } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const loseReplyAfterMs = attempt === 0 ? plan.paymentReplyLostAfterMs : undefined;
      const paid = await this.#payOnce(held, loseReplyAfterMs);
      if (paid === JOIN_AGAIN) return JOIN_AGAIN;
      const { outcome, claim, request } = paid;
      if (outcome === 'succeeded') {
        if (plan.repeatsPayment) await this.#repeatPayment(request, claim, held.losses);
        return this.#afterPurchase(claim);
      }
      if (outcome !== 'failed') return outcome;
      if (!plan.triesAgain || attempt > 0) return 'declined';
    }
  }

  async #payOnce({ hold, losses }: HeldTickets, loseReplyAfterMs: number | undefined): Promise<Paid | JoinAgain> {
    const { sale, accountId } = this.#options;
    const { holdId, amount, ticketNumbers } = hold;
    const path = pathOf('holdPayments', { holdId });
    const headers = { ...this.#authorization, ...newKey() };
    const request: ApiRequest = { method: 'POST', path, headers, body: { method: 'card' } };
    await this.#loseReply(request, loseReplyAfterMs);
    const sentBefore = this.#sent;
    const reply = await this.#ask('pay', request);
    if (reply.code === 'hold_expired' || this.#mayBeGone(reply, losses)) return JOIN_AGAIN;
    if (reply.status !== 202) throw this.#surprise('pay', path, reply);
    const { paymentId } = reply.body as Payment;
    const quantity = ticketNumbers.length;
    const claim = this.#scene.claims.accepted({ saleId: sale.id, accountId, paymentId, amount, quantity });
    // The first answer to the first request is given when the intent is durable. One to a repeated request may only be
    // what Redis remembers: when it forgets before the intent was written, nothing was begun and nothing charged.
    const isDurable = loseReplyAfterMs === undefined && this.#sent === sentBefore + 1;
    const outcome = await this.#outcomeOf(claim, reply.body as Payment, isDurable ? undefined : losses);
    return { outcome, claim, request };
  }

  /**
   * Asks until the payment has an end: whoever has paid waits for as long as it takes.
   * @param losses given when the payment may have been forgotten since: what `Scene.redisLosses` was before it
   */
  async #outcomeOf(claim: Claim, first: Payment, losses: number | undefined): Promise<Paid['outcome']> {
    const path = pathOf('payment', { paymentId: claim.paymentId });
    let payment = first;
    while (payment.status === 'pending') {
      await this.#rest(payment.pollAfterMs ?? REFUSED_MS, true);
      const reply = await this.#askUntilKnown('payment', path, 'GET', losses);
      if (reply === undefined) return 'forgotten';
      payment = reply.body as Payment;
    }
    const { status, orderId } = payment;
    this.#scene.claims.stated(claim, status, orderId);
    if (status === 'succeeded') {
      this.#scene.tally.succeeded();
      this.#options.sale.taken += claim.quantity;
    }
    return status;
  }

  async #repeatPayment(request: ApiRequest, claim: Claim, losses: number): Promise<void> {
    const reply = await this.#ask('pay again', request);
    this.#scene.tally.repeatedPayments += 1;
    const isSame = reply.status === 202 && (reply.body as Payment).paymentId === claim.paymentId;
    // Redis remembers keys, and nobody else: after a loss the same request is a new one.
    if (isSame || this.#scene.redisLosses() !== losses) return;
    this.#surprise(`pay again (payment ${claim.paymentId})`, request.path, reply);
  }

  async #afterPurchase(claim: Claim): Promise<Outcome> {
    const { plan, onBought } = this.#options;
    const { orderId } = claim;
    onBought?.();
    if (orderId === undefined) return 'bought';
    if (plan.looks) {
      const reply = await this.#askUntilKnown('order', pathOf('order', { orderId }));
      const { tickets } = (reply?.body ?? { tickets: [] }) as Order;
      claim.ticketNumbers = tickets.map(({ ticketNumber }) => ticketNumber);
    }
    if (!plan.cancels) return 'bought';
    claim.cancellation = 'asked';
    const reply = await this.#askUntilKnown('cancel', pathOf('orderCancel', { orderId }), 'POST');
    if (reply?.status === 202) claim.cancellation = 'promised';
    return 'cancelled';
  }

  /**
   * For what the buyer was told exists: "not found" may be said for a moment after a crash only.
   * @returns undefined when it stays unknown, and Redis has lost data since `losses`
   */
  async #askUntilKnown(
    step: string,
    path: string,
    method: ApiRequest['method'] = 'GET',
    losses?: number,
  ): Promise<Reply | undefined> {
    const giveUpAt = performance.now() + UNKNOWN_MS;
    for (;;) {
      const reply = await this.#ask(step, { method, path, headers: this.#authorization });
      if (reply.status === 200 || reply.status === 202) return reply;
      if (reply.code !== 'not_found') throw this.#surprise(step, path, reply);
      const mayBeForgotten = losses !== undefined && losses !== this.#scene.redisLosses();
      if (performance.now() > giveUpAt) {
        if (mayBeForgotten) return undefined;
        throw this.#surprise(step, path, reply);
      }
      // Nobody waits for what nobody knows when all go home.
      if (mayBeForgotten && this.#scene.waiting.stopped && performance.now() > giveUpAt - UNKNOWN_MS / 2)
        return undefined;
      await sleep(UNKNOWN_RETRY_MS);
    }
  }

  /** Sends a request and hangs up. Whether it arrived is not known; the caller sends it again. */
  async #loseReply(request: ApiRequest, afterMs: number | undefined): Promise<void> {
    if (afterMs === undefined) return;
    this.#scene.tally.lostReplies += 1;
    const hangUp = new AbortController();
    const timer = setTimeout(() => hangUp.abort(), afterMs);
    await this.#scene.client.send(this.#server, { ...request, signal: hangUp.signal });
    clearTimeout(timer);
    this.#server += 1;
  }

  /** Sends until there is a final answer: the same request, with the same key, each time. */
  async #ask(step: string, request: ApiRequest): Promise<Reply> {
    const { client, tally } = this.#scene;
    const isPinned = this.#options.pinned?.() === true;
    for (let attempt = 0; ; attempt += 1) {
      this.#sent += 1;
      this.#step = step;
      const reply = await client.send(this.#server, request);
      this.#lastAnswer = reply.code === undefined ? String(reply.status) : `${reply.status} ${reply.code}`;
      tally.answered(step, reply.status, reply.code);
      const wait = this.#waitBeforeRetry(step, reply, attempt);
      if (wait === undefined) return reply;
      if (wait.elsewhere && !isPinned) this.#server += 1;
      // A payment or a cancellation that was begun is carried to its end; before that a buyer may go home, also in the middle
      // of the minute for which an overloaded server has sent it away.
      const waitMs = this.#options.pinned?.() === true ? Math.min(wait.ms, PINNED_WAIT_MS) : wait.ms;
      if (step === 'join' || step === 'poll' || step === 'hold') await this.#restUnlessHome(waitMs);
      else await sleep(waitMs);
    }
  }

  #waitBeforeRetry(
    step: string,
    { status, code, retryAfterMs }: Reply,
    attempt: number,
  ): { readonly ms: number; readonly elsewhere: boolean } | undefined {
    const { random } = this.#options;
    if (status === 0 || status === 408) {
      const longest = Math.min(RECONNECT_FIRST_MS * 2 ** attempt, RECONNECT_LONGEST_MS);
      return { ms: longest * (0.5 + random() / 2), elsewhere: true };
    }
    if (status === 429 || status === 503) {
      // Nobody is in a hurry to give an order back: while MySQL is away for minutes, all who want to would come every second.
      const leastMs = step === 'cancel' ? Math.min(REFUSED_MS * 2 ** attempt, CANCEL_LONGEST_MS) : 0;
      return { ms: Math.max(retryAfterMs ?? REFUSED_MS, leastMs) * (1 + random() / 4), elsewhere: true };
    }
    if (code === 'request_in_progress') return { ms: retryAfterMs ?? IN_PROGRESS_MS, elsewhere: false };
    return undefined;
  }

  /** @param paid whoever waits for a payment does not go home */
  async #rest(ms: number, paid = false): Promise<void> {
    const isPinned = this.#options.pinned?.() === true;
    const restMs = isPinned ? Math.min(ms, PINNED_WAIT_MS) : ms * (1 + this.#options.random() / 10);
    if (paid) {
      await sleep(restMs);
      return;
    }
    await this.#restUnlessHome(restMs);
  }

  /** Ends the visit when all go home. */
  async #restUnlessHome(ms: number): Promise<void> {
    await this.#scene.waiting.sleep(ms);
    if (this.#scene.waiting.stopped) throw new VisitEnded('gaveUp');
  }

  #endIfOver({ code }: Reply): void {
    if (code === 'sold_out' || code === 'sale_not_open') throw new VisitEnded('soldOut');
  }

  #mayBeGone({ code }: Reply, lossesBefore: number): boolean {
    return code === 'not_found' && this.#scene.redisLosses() !== lossesBefore;
  }

  #surprise(step: string, path: string, { status, code, body }: Reply): VisitEnded {
    const detail = (body as { detail?: unknown } | undefined)?.detail;
    this.#scene.tally.surprised({
      step,
      path,
      status,
      code,
      detail: typeof detail === 'string' ? detail : JSON.stringify(body),
    });
    return new VisitEnded('unexpected');
  }
}

function isTurnLost({ code }: Reply): boolean {
  return code === 'bad_queue_token' || code === 'admission_expired';
}

function newKey(): Record<string, string> {
  return { [IDEMPOTENCY_KEY_HEADER]: randomUUID() };
}
