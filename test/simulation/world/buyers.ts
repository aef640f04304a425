/** Buyers: what random people do, what they make of the answers, and what they remember of them. */
import { LIMITS } from '@fest/server/limits';
import type { EventLoop } from '../engine/event-loop.ts';
import type { Random } from '../engine/random.ts';
import { type Oracle, Violation } from './oracle.ts';
import type { Answer, SimulatedRequest } from './routes.ts';
import { SALE_ID, type SaleFacts } from './sale.ts';

export interface BuyerOptions {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly oracle: Oracle;
  readonly sale: SaleFacts;
  /** Sends a request to some server; `undefined` when no answer came. */
  readonly ask: (request: SimulatedRequest, answered: (answer: Answer | undefined) => void) => void;
  /** Holds of other buyers, which must be left alone. */
  readonly foreignHold: (accountId: number) => string | undefined;
  /** Of a queue token. */
  readonly epochOf: (queueToken: string) => number;
  /** Grows whenever Redis may have forgotten what requests it has answered. */
  readonly losses: () => number;
}

/** A request with an Idempotency-Key and its answer, to be repeated. */
interface Repeatable {
  readonly request: SimulatedRequest;
  readonly losses: number;
  /** Id of what it made; undefined as long as no answer came. */
  id: string | undefined;
}

interface Place {
  readonly token: string;
  readonly number: number;
  readonly epoch: number;
  /** As far as the buyer knows. */
  admitted: boolean;
}

type Action = () => void;

export class Buyer {
  readonly accountId: number;
  readonly #options: BuyerOptions;
  #place: Place | undefined;
  #hold: { readonly id: string; readonly quantity: number } | undefined;
  /** Payments whose end is not known yet. */
  readonly #open = new Set<string>();
  readonly #orders = new Set<string>();
  readonly #repeatable: Repeatable[] = [];
  #busy = false;
  #keys = 0;
  /** Asks for the last answers only. */
  leaving = false;

  constructor(accountId: number, options: BuyerOptions) {
    this.accountId = accountId;
    this.#options = options;
  }

  get holdId(): string | undefined {
    return this.#hold?.id;
  }

  /** Nothing more to hear. */
  get isSettled(): boolean {
    return this.#open.size === 0 && !this.#busy;
  }

  get openPayments(): readonly string[] {
    return [...this.#open];
  }

  /** Does something, unless an answer is still awaited. */
  act(): void {
    if (this.#busy) return;
    const actions = this.leaving ? this.#lastActions() : this.#actions();
    if (actions.length > 0) this.#options.random.pick(actions)();
  }

  // --- what to do ---------------------------------------------------------------------------------------------------

  #lastActions(): readonly Action[] {
    return [...this.#open].map((paymentId) => () => this.#pollPayment(paymentId));
  }

  #actions(): readonly Action[] {
    const actions: Action[] = [];
    const add = (weight: number, action: Action): void => {
      for (let count = 0; count < weight; count += 1) actions.push(action);
    };
    const place = this.#place;
    const hold = this.#hold;
    add(place === undefined ? 20 : 1, () => this.#join());
    if (place !== undefined) {
      add(place.admitted && hold === undefined ? 30 : 1, () => this.#takeHold(place));
      add(place.admitted ? 1 : 8, () => this.#poll(place));
      // Most people who wait do nothing at all.
      add(place.admitted ? 0 : 12, () => undefined);
      if (this.#options.random.chance(0.1)) add(1, () => this.#leave(place));
    }
    if (hold !== undefined) {
      add(30, () => this.#pay(hold.id));
      add(2, () => this.#release(hold.id));
      add(1, () => this.#lookAtHold(hold.id));
    }
    for (const paymentId of this.#open) add(6, () => this.#pollPayment(paymentId));
    for (const orderId of this.#orders) {
      add(2, () => this.#cancel(orderId));
      add(1, () => this.#lookAtOrder(orderId));
    }
    if (this.#repeatable.length > 0) add(2, () => this.#repeat());
    const foreign = this.#options.foreignHold(this.accountId);
    if (foreign !== undefined) add(1, () => this.#meddle(foreign));
    return actions;
  }

  // --- asking -------------------------------------------------------------------------------------------------------

  #ask(request: Omit<SimulatedRequest, 'accountId'>, heard: (answer: Answer | undefined) => void): void {
    this.#busy = true;
    this.#options.ask({ ...request, accountId: this.accountId }, (answer) => {
      this.#busy = false;
      heard(answer);
    });
  }

  /** With an Idempotency-Key in most cases; what it makes is remembered under it. */
  #askRepeatable(
    request: Omit<SimulatedRequest, 'accountId'>,
    idOf: (answer: Answer) => string | undefined,
    heard: (answer: Answer) => void,
  ): void {
    const { random, losses } = this.#options;
    if (random.chance(0.25)) {
      this.#ask(request, (answer) => answer !== undefined && heard(answer));
      return;
    }
    this.#keys += 1;
    const headers = { ...request.headers, 'idempotency-key': `${this.accountId}-${this.#keys}` };
    const repeatable: Repeatable = {
      request: { ...request, headers, accountId: this.accountId },
      losses: losses(),
      id: undefined,
    };
    this.#repeatable.push(repeatable);
    if (this.#repeatable.length > 4) this.#repeatable.shift();
    this.#ask(repeatable.request, (answer) => {
      if (answer === undefined) return;
      this.#remember(repeatable, idOf(answer));
      heard(answer);
    });
  }

  #repeat(): void {
    const repeatable = this.#options.random.pick(this.#repeatable);
    this.#ask(repeatable.request, (answer) => {
      if (answer === undefined || answer.status >= 300) return;
      const { holdId, paymentId } = answer.body;
      const id = paymentId ?? holdId;
      if (typeof id !== 'string') return;
      this.#remember(repeatable, id);
      if (typeof paymentId === 'string') this.#learnPayment(paymentId, answer);
    });
  }

  /** The same request has the same result, as long as Redis has not lost what it knew. */
  #remember(repeatable: Repeatable, id: string | undefined): void {
    if (id === undefined) return;
    if (repeatable.id !== undefined && repeatable.id !== id && repeatable.losses === this.#options.losses()) {
      throw new Violation('I4', 'the same request had two results', {
        request: repeatable.request,
        before: repeatable.id,
        now: id,
      });
    }
    repeatable.id = id;
  }

  // --- the line -----------------------------------------------------------------------------------------------------

  #join(): void {
    const request = { method: 'POST', route: 'saleQueue', params: { saleId: String(SALE_ID) } } as const;
    this.#ask(request, (answer) => {
      if (answer?.status !== 200) return;
      const { queueToken, number, position, admitted } = answer.body;
      const place: Place = {
        token: String(queueToken),
        number: Number(number),
        epoch: this.#options.epochOf(String(queueToken)),
        admitted: admitted === true,
      };
      this.#checkPlace(place, Number(position));
      this.#place = place;
    });
  }

  /** `rejoin: keep`: whoever still waits keeps the number. */
  #checkPlace(place: Place, position: number): void {
    const before = this.#place;
    if (before === undefined || before.epoch !== place.epoch) return;
    if (place.number < before.number) {
      throw new Violation('I7', 'a queue number went back', { before, place });
    }
    const serving = place.number - position;
    const stillWaited = position > 0 && before.number > serving;
    if (this.#options.sale.rejoin === 'keep' && stillWaited && place.number !== before.number) {
      throw new Violation('I7', 'a waiting buyer lost the number by joining again', { before, place, position });
    }
  }

  #poll(place: Place): void {
    const headers = { 'queue-token': place.token };
    const request = { method: 'GET', route: 'saleQueue', params: { saleId: String(SALE_ID) }, headers } as const;
    this.#ask(request, (answer) => {
      this.#forgetPlaceWhenOver(answer);
      if (answer?.status === 200) place.admitted = answer.body.admitted === true;
    });
  }

  #leave(place: Place): void {
    const headers = { 'queue-token': place.token };
    const request = { method: 'DELETE', route: 'saleQueue', params: { saleId: String(SALE_ID) }, headers } as const;
    this.#ask(request, () => {
      this.#place = undefined;
    });
  }

  #forgetPlaceWhenOver(answer: Answer | undefined): void {
    if (answer?.body.code === 'admission_expired') this.#place = undefined;
  }

  // --- holds and payments -------------------------------------------------------------------------------------------

  #takeHold(place: Place): void {
    const { random, sale } = this.#options;
    const quantity = random.integer(1, random.chance(0.1) ? sale.limitPerBuyer + 1 : sale.limitPerBuyer);
    const params = { saleId: String(SALE_ID) };
    const headers = { 'queue-token': place.token };
    const request = { method: 'POST', route: 'saleHolds', params, body: { quantity }, headers } as const;
    const idOf = ({ status, body }: Answer) => (status < 300 ? String(body.holdId) : undefined);
    this.#askRepeatable(request, idOf, (answer) => {
      this.#forgetPlaceWhenOver(answer);
      // Leaving makes room for others; with the limit reached or nothing left there is nothing to hold.
      if (answer.body.code === 'limit_reached' || answer.body.code === 'sold_out') place.admitted = false;
      if (answer.status >= 300) return;
      const { holdId, status, ticketNumbers } = answer.body;
      if (status === 'held') this.#hold = { id: String(holdId), quantity: (ticketNumbers as readonly number[]).length };
    });
  }

  #release(holdId: string): void {
    this.#ask({ method: 'DELETE', route: 'hold', params: { holdId } }, (answer) => {
      if (answer !== undefined && answer.status < 500) this.#hold = undefined;
    });
  }

  #lookAtHold(holdId: string): void {
    this.#ask({ method: 'GET', route: 'hold', params: { holdId } }, (answer) => {
      if (answer?.status === 404 || answer?.body.status === 'released') this.#hold = undefined;
    });
  }

  #pay(holdId: string): void {
    const request = { method: 'POST', route: 'holdPayments', params: { holdId }, body: { method: 'card' } } as const;
    const idOf = ({ status, body }: Answer) => (status < 300 ? String(body.paymentId) : undefined);
    this.#askRepeatable(request, idOf, (answer) => {
      if (answer.status === 404 || answer.status === 409 || answer.status === 410) this.#hold = undefined;
      if (answer.status < 300) this.#learnPayment(String(answer.body.paymentId), answer);
    });
  }

  #pollPayment(paymentId: string): void {
    this.#ask({ method: 'GET', route: 'payment', params: { paymentId } }, (answer) => {
      if (answer?.status === 200) this.#learnPayment(paymentId, answer);
      // Began and was lost with Redis before anything of it was on a disk: no money was asked for. Else it will be found.
      if (answer?.status === 404 && !this.#options.oracle.isOnDisk(paymentId)) this.#open.delete(paymentId);
    });
  }

  #learnPayment(paymentId: string, { body }: Answer): void {
    const status = String(body.status);
    this.#options.oracle.toldPayment(paymentId, status);
    if (status === 'pending') {
      this.#open.add(paymentId);
      return;
    }
    this.#open.delete(paymentId);
    // Declined: the hold may be paid again.
    if (status !== 'failed') this.#hold = undefined;
    if (status === 'succeeded') this.#orders.add(String(body.orderId));
  }

  /** Somebody else's hold does not exist for anybody else. */
  #meddle(holdId: string): void {
    const request = this.#options.random.pick([
      { method: 'DELETE', route: 'hold', params: { holdId } },
      { method: 'GET', route: 'hold', params: { holdId } },
      { method: 'POST', route: 'holdPayments', params: { holdId }, body: { method: 'card' } },
    ] as const);
    this.#ask(request, (answer) => {
      if (answer !== undefined && answer.status < 500 && answer.status !== 404) {
        throw new Violation('I4', 'a buyer got at the hold of another', { request, answer });
      }
    });
  }

  // --- orders -------------------------------------------------------------------------------------------------------

  #cancel(orderId: string): void {
    this.#ask({ method: 'POST', route: 'orderCancel', params: { orderId } }, (answer) => {
      if (answer?.status === 202) this.#orders.delete(orderId);
    });
  }

  #lookAtOrder(orderId: string): void {
    this.#ask({ method: 'GET', route: 'order', params: { orderId } }, (answer) => {
      if (answer?.status !== 200) return;
      const tickets = answer.body.tickets as readonly { readonly ticketNumber: number }[];
      this.#options.oracle.shownOrder(
        orderId,
        tickets.map(({ ticketNumber }) => ticketNumber),
      );
    });
  }
}

/** How long a client waits for an answer, milliseconds. */
export const CLIENT_TIMEOUT_MS = LIMITS.handlerTimeoutMs;
