/** Plays commands on a sale in Redis and on the model at once, and compares them after each. */
import { isDeepStrictEqual } from 'node:util';
import { saleKeys } from '@fest/server/redis/keys';
import { advanceServingScript, tickScript } from '@fest/server/redis/scripts/admission';
import { releaseHoldScript, sweepHoldsScript, takeHoldScript } from '@fest/server/redis/scripts/holds';
import {
  beginPaymentScript,
  completePaymentScript,
  confirmPaymentScript,
  failPaymentScript,
  returnTicketsScript,
} from '@fest/server/redis/scripts/payments';
import {
  changePhaseScript,
  configureSaleScript,
  createSaleScript,
  restoreSaleScript,
  setAdmissionScript,
} from '@fest/server/redis/scripts/sales';
import { joinQueueScript, leaveQueueScript } from '@fest/server/redis/scripts/waiting-room';
import type { Redis } from 'ioredis';
import { ACCOUNTS, type Command, EARLY_JOIN_MS, OPENS_AFTER_MS } from './commands.ts';
import { faultsOf } from './invariants.ts';
import { type ModelHold, type ModelOrder, type ModelPayment, type ModelRequest, SaleModel } from './model.ts';
import { type Call, callScript, type RunScript, type SaleScript } from './support/call-script.ts';
import { SALE_ID } from './support/sale-redis.ts';
import { type SaleView, viewOfModel, viewOfRedis } from './support/sale-view.ts';

const START_MS = 1_000_000;
const GRACE_MS = 10_000;

/** Small enough that everything runs out: tickets, slots, windows, limits. */
const SETTINGS = {
  capacity: 6,
  price: 50,
  limitPerBuyer: 3,
  opensAtMs: START_MS + OPENS_AFTER_MS,
  earlyJoinMs: EARLY_JOIN_MS,
  closesAtMs: START_MS + 1_200_000,
  holdMs: 40_000,
  admissionMs: 30_000,
  rejoin: 'tail',
  maxActive: 3,
  perSecond: 5,
} as const;

export class Mismatch extends Error {}

interface Token {
  readonly account: number;
  readonly epoch: number;
  readonly number: number;
}

/** A request whose names are resolved: done again, it is the same request at another time. */
type Request = () => Promise<void>;

function nthNewest<Item>(items: readonly Item[], nth: number): Item | undefined {
  return items.length === 0 ? undefined : items[items.length - 1 - (nth % items.length)];
}

export class Play {
  readonly #redis: Redis;
  readonly #run: RunScript;
  readonly #onReply: (script: string, status: string) => void;
  readonly #model = new SaleModel(SETTINGS);
  readonly #tokens = new Map<number, Token[]>();
  readonly #history: Request[] = [];
  /** Node → the leader's beat when the node looked last. */
  readonly #seenBeats = new Map<string, number>();
  #nowMs = START_MS;
  #ids = 0;
  #joined: number | undefined;
  #view: SaleView | undefined;

  constructor(redis: Redis, run: RunScript, onReply: (script: string, status: string) => void = () => undefined) {
    this.#redis = redis;
    this.#run = run;
    this.#onReply = onReply;
  }

  /** @throws {Mismatch} when Redis and the model differ, or an invariant does not hold */
  async play(commands: readonly Command[]): Promise<void> {
    await this.#redis.flushdb();
    await this.#create();
    await this.#check('create');
    for (const [index, command] of commands.entries()) {
      this.#joined = undefined;
      const request = this.#resolve(command);
      if (request === undefined) continue;
      if (command.do !== 'again' && command.do !== 'lose') this.#history.push(request);
      await request();
      await this.#check(`command ${index} ${JSON.stringify(command)}`);
    }
  }

  // --- the two sides ----------------------------------------------------------------------------------------------

  async #both<Argument extends string, Result>(
    script: SaleScript<Argument, Result>,
    args: Call<Argument>['args'],
    expected: unknown,
    idempotencyKey?: string,
  ): Promise<Result> {
    const { name } = script.definition;
    const reply = await callScript(this.#run, script, { args, idempotencyKey });
    const status = (reply as { readonly status?: string } | undefined)?.status;
    if (status !== undefined) this.#onReply(name, status);
    if (!isDeepStrictEqual(withoutUndefined(reply), withoutUndefined(expected))) {
      throw new Mismatch(`${name} replied ${JSON.stringify(reply)}; expected was ${JSON.stringify(expected)}`);
    }
    return reply;
  }

  async #check(after: string): Promise<void> {
    const model = this.#model;
    const expected = viewOfModel(model, ACCOUNTS);
    const view = await viewOfRedis(this.#redis, [...model.holds.keys()], [...model.payments.keys()]);
    const soldTickets = model.liveOrders.flatMap(({ tickets }) => tickets);
    const { limitPerBuyer } = SETTINGS;
    const faults = faultsOf(view, this.#view ?? view, { soldTickets, joined: this.#joined, limitPerBuyer });
    if (faults.length > 0) throw new Mismatch(`after ${after}: ${faults.join('; ')}: ${JSON.stringify(view)}`);
    for (const part of Object.keys(expected) as (keyof SaleView)[]) {
      if (isDeepStrictEqual(view[part], expected[part])) continue;
      throw new Mismatch(
        `after ${after}: ${part} is ${JSON.stringify(view[part])}; expected was ${JSON.stringify(expected[part])}`,
      );
    }
    this.#view = view;
  }

  // --- commands ---------------------------------------------------------------------------------------------------

  /** Undefined when there is nothing the command could be about. */
  #resolve(command: Command): Request | undefined {
    switch (command.do) {
      case 'join':
      case 'leave':
      case 'hold':
        return this.#resolveOfBuyer(command);
      case 'release':
      case 'begin':
        return this.#resolveOfHold(command);
      case 'confirm':
      case 'fail':
      case 'complete':
        return this.#resolveOfPayment(command);
      case 'return': {
        const order = nthNewest(
          this.#model.orders.filter(({ durable }) => durable),
          command.nth,
        );
        return order && (() => this.#return(order, command.behind));
      }
      case 'again':
        return nthNewest(this.#history, command.nth);
      case 'wait':
        this.#nowMs += command.ms;
        return undefined;
      case 'waitUntil':
        this.#waitUntil(command.nth, command.offsetMs);
        return undefined;
      default:
        return this.#resolveOfSale(command);
    }
  }

  #resolveOfBuyer(command: Extract<Command, { do: 'join' | 'leave' | 'hold' }>): Request | undefined {
    if (command.do === 'join') return () => this.#join(command.who, command.key);
    const token = nthNewest(this.#tokens.get(command.who) ?? [], command.token);
    if (token === undefined) return undefined;
    const epoch = token.epoch - (command.behind ? 1 : 0);
    if (command.do === 'leave') return () => this.#leave({ ...token, epoch });
    return () => this.#hold({ ...token, epoch }, command.quantity, command.key);
  }

  #resolveOfHold(command: Extract<Command, { do: 'release' | 'begin' }>): Request | undefined {
    const hold = nthNewest([...this.#model.holds.values()], command.nth);
    if (hold === undefined) return undefined;
    const account = command.asOther ? (hold.account % ACCOUNTS.length) + 1 : hold.account;
    if (command.do === 'release') return () => this.#release(hold, account, command.behind);
    return () => this.#begin(hold, account, command.key, command.behind);
  }

  #resolveOfPayment(command: Extract<Command, { do: 'confirm' | 'fail' | 'complete' }>): Request | undefined {
    const payment = nthNewest([...this.#model.payments.values()], command.nth);
    if (payment === undefined) return undefined;
    if (command.do === 'confirm') return () => this.#confirm(payment, command.otherAmount, command.behind);
    return command.do === 'fail'
      ? () => this.#fail(payment, command.behind)
      : () => this.#complete(payment, command.behind);
  }

  #resolveOfSale(
    command: Extract<Command, { do: 'tick' | 'serve' | 'sweep' | 'phase' | 'admission' | 'configure' | 'lose' }>,
  ): Request {
    switch (command.do) {
      case 'tick':
        return async () => void (await this.#tick(command.node, command.behind));
      case 'serve':
        return () => this.#serve(command);
      case 'sweep':
        return () => this.#sweep(command.atMost, command.behind);
      case 'phase':
        return () => this.#changePhase(command.action, command.behind);
      case 'admission':
        return () => this.#setAdmission(command.maxActive, command.behind);
      case 'configure':
        return () => this.#configure(command);
      case 'lose':
        return () => this.#lose(command.wiped);
    }
  }

  #epoch(behind: boolean): number {
    return this.#model.epoch - (behind ? 1 : 0);
  }

  #newId(kind: 'hold' | 'payment'): string {
    this.#ids += 1;
    return `${kind}-${String(this.#ids).padStart(3, '0')}`;
  }

  #waitUntil(nth: number, offsetMs: number): void {
    const later = this.#model
      .deadlines()
      .map((atMs) => atMs + offsetMs)
      .filter((atMs) => atMs > this.#nowMs);
    this.#nowMs =
      nthNewest(
        later.sort((a, b) => b - a),
        nth,
      ) ?? this.#nowMs;
  }

  // --- the line ---------------------------------------------------------------------------------------------------

  async #join(account: number, key: string | undefined): Promise<void> {
    const request: ModelRequest = { key, fingerprint: key === undefined ? '' : 'join' };
    const expected = this.#model.join(account, request, this.#nowMs);
    this.#joined = account;
    const { epoch } = this.#model;
    const { earlyJoinMs } = SETTINGS;
    const args = { epoch, nowMs: this.#nowMs, account, requestFingerprint: request.fingerprint, earlyJoinMs };
    const reply = await this.#both(joinQueueScript, args, expected, key);
    if (reply.status === 'notOpen') this.#onReply('join-queue', `notOpen ${reply.phase}`);
    if (reply.status !== 'joined') return;
    const tokens = this.#tokens.get(account) ?? [];
    const { number } = reply;
    if (tokens.at(-1)?.number !== number) this.#tokens.set(account, [...tokens, { account, number, epoch }]);
  }

  async #leave({ epoch, account, number }: Token): Promise<void> {
    const expected = this.#model.leave(epoch, account, number);
    await this.#both(leaveQueueScript, { epoch, nowMs: this.#nowMs, account, number }, expected);
  }

  async #tick(node: string, behind: boolean) {
    const epoch = this.#epoch(behind);
    // How long a node waits is its own affair: here each gives up on the leader at its second look.
    const idleBeat = this.#seenBeats.get(node) ?? '';
    // Who leads anew remembers nothing.
    const controller = this.#model.lease.holder === node ? `of ${node}` : '';
    const expected = this.#model.tick(epoch, node, idleBeat, controller, this.#nowMs);
    if (expected.status === 'follower') this.#seenBeats.set(node, expected.leaseBeat);
    return this.#both(
      tickScript,
      {
        ...{ epoch, nowMs: this.#nowMs, node, idleBeat, controller },
        ...{ stepsAtMost: 10, agedStepsAtMost: 50, sampledStepsAtMost: 10, ratePerSecond: '' },
      },
      expected,
    );
  }

  async #serve({ node, want, how }: Extract<Command, { do: 'serve' }>): Promise<void> {
    const leader = await this.#tick(node, false);
    if (leader.status !== 'leader') return;
    // More than there are slots may be admitted. Who is greedy goes for full ones, beyond the line, or beyond what was decided.
    const slots = leader.maxActive > leader.inside ? want : 0;
    const decided = Math.min(want, slots, leader.drawn - leader.servingNumber);
    const admit = how === 'greedy' ? want : decided;
    const isWrong = how === 'greedy' && decided === want;
    const pendingAtMost = leader.pending + (isWrong ? Math.max(0, decided - 1) : admit);
    if (admit <= 0) return;
    const epoch = this.#model.epoch;
    const fence = leader.fence - (how === 'oldFence' ? 1 : 0);
    const expectedServing = leader.servingNumber - (how === 'oldServing' ? 1 : 0);
    const people = { admit, ghostsAtMost: 2 };
    const expected = this.#model.advance(epoch, { node, fence, pendingAtMost }, expectedServing, people, this.#nowMs);
    await this.#both(
      advanceServingScript,
      { epoch, nowMs: this.#nowMs, node, fence, expectedServing, ...people, pendingAtMost },
      expected,
    );
  }

  // --- holds and payments -----------------------------------------------------------------------------------------

  async #hold({ epoch, account, number }: Token, quantity: number, key: string | undefined): Promise<void> {
    const holdId = this.#newId('hold');
    const request: ModelRequest = { key, fingerprint: key === undefined ? '' : `hold-${quantity}` };
    const expected = this.#model.takeHold(epoch, { account, number }, { holdId, quantity, request }, this.#nowMs);
    const args = {
      epoch,
      nowMs: this.#nowMs,
      account,
      number,
      quantity,
      holdId,
      requestFingerprint: request.fingerprint,
    };
    await this.#both(takeHoldScript, args, expected, key);
  }

  async #release({ id: holdId }: ModelHold, account: number, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const expected = this.#model.releaseHold(epoch, account, holdId, this.#nowMs);
    await this.#both(releaseHoldScript, { epoch, nowMs: this.#nowMs, account, holdId }, expected);
  }

  async #sweep(atMost: number, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const expected = this.#model.sweep(epoch, atMost, this.#nowMs);
    await this.#both(sweepHoldsScript, { epoch, nowMs: this.#nowMs, atMost }, expected);
  }

  async #begin({ id: holdId }: ModelHold, account: number, key: string | undefined, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const paymentId = this.#newId('payment');
    const request: ModelRequest = { key, fingerprint: key === undefined ? '' : `pay-${holdId}` };
    const expected = this.#model.beginPayment(epoch, account, { holdId, paymentId, request }, this.#nowMs);
    const about = {
      account,
      holdId,
      paymentId,
      method: 'card',
      logId: 'log-1',
      requestFingerprint: request.fingerprint,
    };
    await this.#both(beginPaymentScript, { epoch, nowMs: this.#nowMs, ...about }, expected, key);
  }

  async #confirm(payment: ModelPayment, otherAmount: boolean, behind: boolean): Promise<void> {
    const { id: paymentId, account, holdId, quantity } = payment;
    // Nobody confirms a payment again whose order is on disk; within an epoch it would do no harm.
    const isDurable = this.#model.orders.some((order) => order.paymentId === paymentId && order.durable);
    if (isDurable && this.#model.holds.get(holdId)?.epoch !== this.#model.epoch) return;
    const epoch = this.#epoch(behind);
    const amount = payment.amount + (otherAmount ? 1 : 0);
    const expected = this.#model.confirmPayment(epoch, payment, amount);
    await this.#both(confirmPaymentScript, { epoch, account, holdId, paymentId, amount, quantity }, expected);
  }

  async #fail(payment: ModelPayment, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const expected = this.#model.failPayment(epoch, payment, GRACE_MS, this.#nowMs);
    const { id: paymentId, holdId } = payment;
    const args = { epoch, nowMs: this.#nowMs, holdId, paymentId, failureCode: 'declined', graceMs: GRACE_MS };
    await this.#both(failPaymentScript, args, expected);
  }

  async #complete(payment: ModelPayment, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const { id: paymentId, account, holdId } = payment;
    const order = this.#model.orders.find((candidate) => candidate.paymentId === paymentId);
    const status = order === undefined ? 'refunded' : 'succeeded';
    const expected = this.#model.completePayment(epoch, payment, status);
    const outcome = { status, orderId: order?.id ?? '', failureCode: '' };
    await this.#both(completePaymentScript, { epoch, account, holdId, paymentId, ...outcome }, expected);
  }

  async #return(order: ModelOrder, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const { id: orderId, account, tickets } = order;
    const expected = this.#model.returnTickets(epoch, order);
    await this.#both(returnTicketsScript, { epoch, account, orderId, tickets: tickets.join() }, expected);
  }

  // --- the sale ---------------------------------------------------------------------------------------------------

  async #changePhase(action: Extract<Command, { do: 'phase' }>['action'], behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const expected = this.#model.changePhase(epoch, action, this.#nowMs);
    await this.#both(changePhaseScript, { epoch, nowMs: this.#nowMs, action }, expected);
  }

  async #setAdmission(maxActive: number, behind: boolean): Promise<void> {
    const epoch = this.#epoch(behind);
    const expected = this.#model.setAdmission(epoch, maxActive);
    await this.#both(
      setAdmissionScript,
      { epoch, mode: 'fixed', perSecond: '', maxActive, perSecondHighest: 10_000, perSecondDefault: 50 },
      expected,
    );
  }

  async #configure({ capacity, rejoin, opensLaterMs, old }: Extract<Command, { do: 'configure' }>): Promise<void> {
    const version = this.#model.version + (old ? 0 : 1);
    const opensAtMs = SETTINGS.opensAtMs + opensLaterMs;
    const expected = this.#model.configure(version, capacity, rejoin, opensAtMs);
    const { epoch } = this.#model;
    await this.#both(configureSaleScript, { ...SETTINGS, epoch, version, capacity, rejoin, opensAtMs }, expected);
  }

  async #create(): Promise<void> {
    const { epoch } = this.#model;
    const args = this.#newSale();
    await this.#both(createSaleScript, args, { created: true, epoch });
    await this.#both(createSaleScript, { ...args, epoch: epoch + 7 }, { created: false, epoch });
  }

  #newSale() {
    const { epoch, version, phase, phaseSeq, capacity, rejoin, maxActive, admissionSeq } = this.#model;
    const { drawn, sold, highestGiven, confirmSeq, opensAtMs } = this.#model;
    return {
      ...SETTINGS,
      opensAtMs,
      ...{ epoch, version, phase, phaseSeq, capacity, rejoin, maxActive, admissionSeq, drawn, sold, confirmSeq },
      mode: 'fixed',
      nextFresh: highestGiven + 1,
    };
  }

  /**
   * The sale is built anew, over what there is or over nothing. The keys a rebuild does not know the names of stay: holds,
   * payments, requests, queue numbers.
   */
  async #lose(wiped: boolean): Promise<void> {
    this.#model.rebuild();
    const { epoch } = this.#model;
    const pipeline = this.#redis.pipeline();
    if (wiped) {
      const { sale, steps, remaining, departed, released, expiry, paying, buyers, bought, returned } = saleKeys;
      for (const key of [sale, steps, remaining, departed, released, expiry, paying, buyers, bought, returned])
        pipeline.del(key(SALE_ID));
    }
    const staged = (what: 'released' | 'bought' | 'returned') => saleKeys.staged(SALE_ID, 'try', what);
    for (const number of this.#model.released) pipeline.zadd(staged('released'), number, String(number));
    for (const account of ACCOUNTS) pipeline.hset(staged('bought'), String(account), this.#model.bought(account));
    const returned = this.#model.orders.filter((order) => order.returned);
    for (const { id } of returned) pipeline.sadd(staged('returned'), id);
    await pipeline.exec();
    const counts = {
      releasedCount: this.#model.released.length,
      boughtCount: ACCOUNTS.length,
      returnedCount: returned.length,
    };
    const args = { ...this.#newSale(), ...counts };
    await this.#both(restoreSaleScript, { ...args, boughtCount: 0 }, { status: 'stagingLost', epoch });
    await this.#both(restoreSaleScript, args, { status: 'restored', epoch });
    // A server that was paused while it rebuilt comes too late, whatever it believes.
    await this.#both(restoreSaleScript, { ...args, sold: 0, nextFresh: 1 }, { status: 'exists', epoch });
  }
}

/** A reply's optional facts are absent or undefined alike. */
function withoutUndefined(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
