/**
 * A sale as plain data, from the design and the headers of the Lua scripts: tickets have owners, the line is a list of
 * places, and every number the scripts count is found by looking. Slow, and meant to be obviously right.
 */
import type { HoldStatus, PaymentStatus, RejoinRule, StoredPhase } from '@fest/server/contract/words';
import type { FollowerTick, LeaderTick } from '@fest/server/redis/scripts/admission';
import type { HoldRefusal, TakenHold } from '@fest/server/redis/scripts/holds';
import type { BegunPayment, ConfirmedPayment } from '@fest/server/redis/scripts/payments';
import type { Lost } from '@fest/server/redis/scripts/replies';
import type { PhaseAction } from '@fest/server/redis/scripts/sales';
import type { Joined, NotOpen } from '@fest/server/redis/scripts/waiting-room';

export interface ModelSettings {
  readonly capacity: number;
  readonly price: number;
  readonly limitPerBuyer: number;
  readonly opensAtMs: number;
  /** So long before the opening numbers are drawn. */
  readonly earlyJoinMs: number;
  readonly closesAtMs: number;
  readonly holdMs: number;
  readonly admissionMs: number;
  readonly rejoin: RejoinRule;
  readonly maxActive: number;
  readonly perSecond: number;
}

/** A request with an Idempotency-Key, or without one. */
export interface ModelRequest {
  readonly key: string | undefined;
  readonly fingerprint: string;
}

/** One admission; it closes when a tick finds its window over. */
interface Step {
  readonly upTo: number;
  readonly atMs: number;
  closed: boolean;
}

/**
 * A queue number that was drawn. `waiting` → `pending` (admitted) → `used` by a hold; `left` before, `over` after its turn.
 * `refused`: came while pending and got nothing, or gave its hold back; it takes no slot, and may come again.
 */
interface Place {
  readonly number: number;
  step: Step | undefined;
  state: 'waiting' | 'left' | 'pending' | 'refused' | 'used' | 'over';
}

export interface ModelHold {
  readonly id: string;
  readonly account: number;
  readonly quantity: number;
  readonly amount: number;
  readonly number: number;
  epoch: number;
  tickets: readonly number[];
  state: HoldStatus;
  expiresAtMs: number;
  paymentId: string | undefined;
  confirmSeq: number;
}

export interface ModelPayment {
  readonly id: string;
  readonly account: number;
  readonly holdId: string;
  readonly quantity: number;
  readonly amount: number;
  status: PaymentStatus;
  /** Of which its status is the latest news. */
  epoch: number;
}

export interface ModelOrder {
  readonly id: string;
  readonly paymentId: string;
  readonly account: number;
  readonly tickets: readonly number[];
  /** Its record is on disk: a rebuild finds it. */
  durable: boolean;
  returned: boolean;
}

const AGE_CLASSES = 12;
const noOne = (): number[] => Array.from({ length: AGE_CLASSES }, () => 0);

/** Under 1 s: 0; under 2 s: 1; under 4 s: 2 … */
function ageClassOf(ageMs: number): number {
  const bounds = Array.from({ length: AGE_CLASSES - 1 }, (_, index) => 1_000 * 2 ** index);
  return bounds.filter((boundMs) => ageMs >= boundMs).length;
}

/** Index + 1 is the ticket number. */
type Owner = { readonly kind: 'stock' } | { readonly kind: 'held' | 'sold'; readonly id: string };
const IN_STOCK: Owner = { kind: 'stock' };

/** Queue numbers of an epoch begin above this many times the epoch before. */
export const NUMBERS_PER_EPOCH = 1_000;

export class SaleModel {
  epoch = 1;
  version = 1;
  phase: StoredPhase = 'scheduled';
  phaseSeq = 0;
  admissionSeq = 0;
  confirmSeq = 0;
  drawn = 0;
  serving = 0;
  lease = { holder: '', beat: 0, fence: 0, controller: '' };
  /** When the admission windows stood still; the last stop may go on. */
  stops: { readonly fromMs: number; toMs: number | undefined }[] = [];
  /** Those who came, by the age class of their admission. */
  came: number[] = noOne();
  opensAtMs: number;
  capacity: number;
  rejoin: RejoinRule;
  maxActive: number;
  readonly settings: ModelSettings;
  /** Highest ticket number that was ever given out in this epoch. */
  highestGiven = 0;
  owners: Owner[];
  steps: Step[] = [];
  places: Place[] = [];
  readonly numbers = new Map<number, number>();
  readonly holds = new Map<string, ModelHold>();
  readonly payments = new Map<string, ModelPayment>();
  orders: ModelOrder[] = [];
  readonly #requests = new Map<string, { readonly fingerprint: string; readonly id: string }>();

  constructor(settings: ModelSettings) {
    this.settings = settings;
    this.opensAtMs = settings.opensAtMs;
    this.capacity = settings.capacity;
    this.rejoin = settings.rejoin;
    this.maxActive = settings.maxActive;
    this.owners = Array.from({ length: settings.capacity }, () => IN_STOCK);
  }

  // --- what can be seen -------------------------------------------------------------------------------------------

  #count(kind: Owner['kind']): number {
    return this.owners.filter((owner) => owner.kind === kind).length;
  }
  get available(): number {
    return this.#count('stock');
  }
  get held(): number {
    return this.#count('held');
  }
  get sold(): number {
    return this.#count('sold');
  }
  get pending(): number {
    return this.places.filter(({ state, step }) => state === 'pending' && step?.closed === false).length;
  }
  get inside(): number {
    return this.liveHolds.length;
  }
  get liveHolds(): readonly ModelHold[] {
    return [...this.holds.values()].filter((hold) => this.#isLive(hold));
  }
  get liveOrders(): readonly ModelOrder[] {
    return this.orders.filter(({ returned }) => !returned);
  }
  get released(): readonly number[] {
    return this.#numbersWhere((owner, number) => owner.kind === 'stock' && number <= this.highestGiven);
  }

  bought(account: number): number {
    return this.liveOrders.reduce((sum, order) => sum + (order.account === account ? order.tickets.length : 0), 0);
  }
  liveHoldOf(account: number): ModelHold | undefined {
    return this.liveHolds.find((hold) => hold.account === account);
  }
  /** Slots that each open step still keeps. */
  remaining(): Readonly<Record<string, number>> {
    const open = this.steps.filter(({ closed }) => !closed);
    return Object.fromEntries(
      open.map((step) => [
        step.upTo,
        this.places.filter((place) => place.step === step && place.state === 'pending').length,
      ]),
    );
  }
  /** Moments at which something ends by itself. */
  deadlines(): readonly number[] {
    const windows = this.steps
      .filter(({ closed }) => !closed)
      .map(({ atMs }) => atMs + this.settings.admissionMs + this.#stoppedMs(atMs, Number.MAX_SAFE_INTEGER));
    const holds = this.liveHolds.filter(({ state }) => state === 'held').map(({ expiresAtMs }) => expiresAtMs);
    const opening = this.phase === 'scheduled' ? [this.opensAtMs - this.settings.earlyJoinMs, this.opensAtMs] : [];
    return [...windows, ...holds, ...opening];
  }

  #isLive(hold: ModelHold): boolean {
    return hold.epoch === this.epoch && (hold.state === 'held' || hold.state === 'paying');
  }
  #numbersWhere(holds: (owner: Owner, number: number) => boolean): readonly number[] {
    return this.owners.flatMap((owner, index) => (holds(owner, index + 1) ? [index + 1] : []));
  }
  #phaseNow(nowMs: number): StoredPhase {
    if (this.phase === 'closed' || nowMs >= this.settings.closesAtMs) return 'closed';
    return this.phase === 'scheduled' && nowMs >= this.opensAtMs ? 'open' : this.phase;
  }
  /** How long the windows stood still between two moments, without the stop that goes on when it is asked for all time. */
  #stoppedMs(fromMs: number, toMs: number): number {
    const ended = this.stops.map((stop) => ({
      ...stop,
      toMs: stop.toMs ?? (toMs < Number.MAX_SAFE_INTEGER ? toMs : 0),
    }));
    return ended.reduce((sum, stop) => sum + Math.max(0, Math.min(stop.toMs, toMs) - Math.max(stop.fromMs, fromMs)), 0);
  }
  #openForMs({ atMs }: Step, nowMs: number): number {
    return nowMs - atMs - this.#stoppedMs(atMs, nowMs);
  }
  get #stop() {
    return this.stops.find(({ toMs }) => toMs === undefined);
  }
  /** Without the stop that goes on. */
  get windowsStoppedMs(): number {
    return this.stops.reduce((sum, { fromMs, toMs }) => sum + (toMs === undefined ? 0 : toMs - fromMs), 0);
  }
  get windowsStoppedAtMs(): number {
    return this.#stop?.fromMs ?? 0;
  }
  #stopWindows(nowMs: number): void {
    if (this.#stop === undefined) this.stops.push({ fromMs: nowMs, toMs: undefined });
  }
  #letWindowsGoOn(nowMs: number): void {
    const isUsable = this.phase === 'closed' || (this.phase !== 'paused' && this.inside < this.maxActive);
    if (isUsable && this.#stop !== undefined) this.#stop.toMs = nowMs;
  }
  #placeOf(number: number): Place | undefined {
    return this.places.find((place) => place.number === number);
  }
  /** Until when the number is admitted; undefined when it waits, left or its window has passed. */
  #admittedUntilMs(number: number, nowMs: number): number | undefined {
    const step = this.#placeOf(number)?.step;
    if (step === undefined || step.closed) return undefined;
    const leftMs = this.settings.admissionMs - this.#openForMs(step, nowMs);
    return leftMs > 0 ? nowMs + leftMs : undefined;
  }

  // --- repeated requests ------------------------------------------------------------------------------------------

  #seen(account: number, { key, fingerprint }: ModelRequest): { same: boolean; id: string } | undefined {
    const seen = key === undefined ? undefined : this.#requests.get(`${account} ${key}`);
    return seen && { same: seen.fingerprint === fingerprint, id: seen.id };
  }
  #remember(account: number, { key, fingerprint }: ModelRequest, id: string): void {
    if (key !== undefined) this.#requests.set(`${account} ${key}`, { fingerprint, id });
  }

  // --- tickets ----------------------------------------------------------------------------------------------------

  /** The lowest numbers in stock. */
  #take(quantity: number, owner: Owner): readonly number[] {
    const taken = this.#numbersWhere(({ kind }) => kind === 'stock').slice(0, quantity);
    this.#give(taken, owner);
    this.highestGiven = Math.max(this.highestGiven, ...taken);
    return taken;
  }
  #give(tickets: readonly number[], owner: Owner): void {
    for (const number of tickets) this.owners[number - 1] = owner;
  }
  #endHold(hold: ModelHold): void {
    hold.state = 'released';
    this.#give(hold.tickets, IN_STOCK);
  }
  /** The turn is over, unless the buyer has a newer number. */
  #dropNumber(hold: ModelHold): void {
    if (this.numbers.get(hold.account) === hold.number) this.numbers.delete(hold.account);
  }

  // --- the line ---------------------------------------------------------------------------------------------------

  join(account: number, request: ModelRequest, nowMs: number): Joined | NotOpen | { status: 'soldOut' | 'keyReused' } {
    const seen = this.#seen(account, request);
    if (seen?.same === false) return { status: 'keyReused' };
    const phase = this.#phaseNow(nowMs);
    const { opensAtMs } = this;
    if (phase === 'closed') return { status: 'notOpen', opensAtMs, phase };
    const known = this.#placeOf(this.numbers.get(account) ?? 0);
    if (known !== undefined) {
      const admittedUntilMs = this.#admittedUntilMs(known.number, nowMs);
      const stays = known.state === 'waiting' && (this.rejoin === 'keep' || seen !== undefined);
      if (stays || admittedUntilMs !== undefined) return this.#joined(known.number, admittedUntilMs);
    }
    const isEarly = phase === 'scheduled' && nowMs >= opensAtMs - this.settings.earlyJoinMs;
    if (phase !== 'open' && !isEarly) return { status: 'notOpen', opensAtMs, phase };
    if (this.available === 0) return { status: 'soldOut' };
    if (known?.state === 'waiting') known.state = 'left';
    this.drawn += 1;
    this.places.push({ number: this.drawn, step: undefined, state: 'waiting' });
    this.numbers.set(account, this.drawn);
    this.#remember(account, request, '');
    return this.#joined(this.drawn, undefined);
  }

  #joined(number: number, admittedUntilMs: number | undefined): Joined {
    return { status: 'joined', number, servingNumber: this.serving, admittedUntilMs };
  }

  leave(epoch: number, account: number, number: number): { status: 'left' | 'gone' } | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    if (this.numbers.get(account) !== number) return { status: 'gone' };
    this.numbers.delete(account);
    const place = this.#placeOf(number);
    if (place?.state === 'waiting') place.state = 'left';
    const isInside = place?.state === 'pending' || place?.state === 'refused';
    if (place !== undefined && isInside && this.liveHoldOf(account) === undefined) place.state = 'over';
    return { status: 'left' };
  }

  tick(
    epoch: number,
    node: string,
    idleBeat: number | '',
    controller: string,
    nowMs: number,
  ): LeaderTick | FollowerTick | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const { holder, beat, fence } = this.lease;
    const remembered = controller === '' ? this.lease.controller : controller;
    const isFree = holder === '' || beat === idleBeat;
    if (holder !== node && !isFree) return { status: 'follower', leaseBeat: beat };
    this.lease = {
      holder: node,
      beat: beat + 1,
      fence: holder === node ? fence : fence + 1,
      controller: remembered,
    };
    const phaseBefore = this.phase;
    this.phase = this.#phaseNow(nowMs);
    if (this.phase !== phaseBefore) this.phaseSeq += 1;
    this.#letWindowsGoOn(nowMs);
    const pendingBefore = this.pending;
    for (const step of this.steps.filter(({ closed }) => !closed)) {
      if (this.#openForMs(step, nowMs) < this.settings.admissionMs) break;
      step.closed = true;
    }
    return {
      status: 'leader',
      fence: this.lease.fence,
      servingNumber: this.serving,
      drawn: this.drawn,
      pending: this.pending,
      inside: this.inside,
      available: this.available,
      perSecond: this.settings.perSecond,
      maxActive: this.maxActive,
      phaseSeq: this.phaseSeq,
      freed: pendingBefore - this.pending,
      mode: 'fixed',
      phase: this.phase,
      phaseBefore,
      admissionMs: this.settings.admissionMs,
      windowMs: nowMs - this.#stoppedMs(0, nowMs),
      showsByAge: [...this.came],
      pendingByAge: this.#pendingByAge(nowMs),
      controller: remembered,
    };
  }

  #pendingByAge(nowMs: number): readonly number[] {
    const byAge = noOne();
    for (const { state, step } of this.places) {
      if (state !== 'pending' || step === undefined || step.closed) continue;
      const ageClass = ageClassOf(this.#openForMs(step, nowMs));
      byAge[ageClass] = (byAge[ageClass] ?? 0) + 1;
    }
    return byAge;
  }

  advance(
    epoch: number,
    leader: { node: string; fence: number; pendingAtMost: number },
    expected: number,
    { admit, ghostsAtMost }: { admit: number; ghostsAtMost: number },
    nowMs: number,
  ) {
    const nobody = { servingNumber: this.serving, admitted: 0 };
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const { holder, fence } = this.lease;
    if (holder !== leader.node || fence !== leader.fence || this.serving !== expected)
      return { status: 'stale', ...nobody };
    const ahead = this.places.filter(({ number }) => number > this.serving).slice(0, admit + ghostsAtMost);
    const waiting = ahead.filter(({ state }) => state === 'waiting');
    const target = (waiting[admit - 1] ?? ahead.at(-1))?.number ?? this.serving;
    const admitted = waiting.slice(0, admit);
    const isFull = admitted.length > 0 && this.inside >= this.maxActive;
    const tooMany = this.pending + admitted.length > leader.pendingAtMost;
    const isOpen = this.phase === 'open';
    if (target <= this.serving || !isOpen || isFull || tooMany) return { status: 'refused', ...nobody };
    const step: Step = { upTo: target, atMs: nowMs, closed: false };
    if (admitted.length > 0) this.steps.push(step);
    for (const place of admitted) Object.assign(place, { step, state: 'pending' });
    this.serving = target;
    return { status: 'advanced', servingNumber: target, admitted: admitted.length };
  }

  // --- holds ------------------------------------------------------------------------------------------------------

  takeHold(
    epoch: number,
    buyer: { account: number; number: number },
    wanted: { holdId: string; quantity: number; request: ModelRequest },
    nowMs: number,
  ): TakenHold | HoldRefusal | Lost {
    const { account, number } = buyer;
    const { quantity, request, holdId } = wanted;
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const seen = this.#seen(account, request);
    if (seen !== undefined) {
      const known = seen.same ? this.holds.get(seen.id) : undefined;
      return known === undefined ? { status: 'keyReused' } : this.#toldAgain(known);
    }
    const live = this.liveHoldOf(account);
    if (live !== undefined) {
      if (live.state === 'held' && live.expiresAtMs <= nowMs) return { status: 'admissionExpired' };
      this.#remember(account, request, live.id);
      return this.#toldAgain(live);
    }
    const refusal = this.#refusalOf(account, number, quantity, nowMs);
    const cameForNothing = refusal?.status === 'limitReached' || refusal?.status === 'soldOut';
    if (refusal === undefined || cameForNothing) this.#come(number, refusal === undefined ? 'used' : 'refused', nowMs);
    if (refusal?.status === 'busy') this.#stopWindows(nowMs);
    if (refusal !== undefined) return refusal;
    const hold: ModelHold = {
      id: holdId,
      account,
      quantity,
      amount: quantity * this.settings.price,
      number,
      epoch,
      tickets: this.#take(quantity, { kind: 'held', id: holdId }),
      state: 'held',
      expiresAtMs: nowMs + this.settings.holdMs,
      paymentId: undefined,
      confirmSeq: 0,
    };
    this.holds.set(holdId, hold);
    this.#remember(account, request, holdId);
    return { ...this.#toldAgain(hold), status: 'held' };
  }

  /** Counted the first time, as long as it has a slot. */
  #come(number: number, state: 'used' | 'refused', nowMs: number): void {
    const place = this.#placeOf(number);
    if (place?.step === undefined) return;
    if (place.state === 'pending') {
      const ageClass = ageClassOf(this.#openForMs(place.step, nowMs));
      this.came[ageClass] = (this.came[ageClass] ?? 0) + 1;
    }
    place.state = state;
  }

  #toldAgain({ id, state, epoch, expiresAtMs, amount, tickets }: ModelHold): TakenHold {
    const stateNow = state === 'held' && epoch !== this.epoch ? 'released' : state;
    return { status: 'repeated', holdId: id, state: stateNow, expiresAtMs, amount, ticketNumbers: tickets };
  }

  #refusalOf(account: number, number: number, quantity: number, nowMs: number): HoldRefusal | undefined {
    if (this.#phaseNow(nowMs) !== 'open') return { status: 'notOpen' };
    if (this.numbers.get(account) !== number) return { status: 'admissionExpired' };
    if (number > this.serving) return { status: 'notAdmitted', servingNumber: this.serving };
    if (this.#admittedUntilMs(number, nowMs) === undefined) return { status: 'admissionExpired' };
    const bought = this.bought(account);
    const limit = this.settings.limitPerBuyer;
    if (bought + quantity > limit) return { status: 'limitReached', bought, limit };
    if (this.available < quantity) return { status: 'soldOut', available: this.available };
    return this.inside >= this.maxActive ? { status: 'busy' } : undefined;
  }

  releaseHold(
    epoch: number,
    account: number,
    holdId: string,
    nowMs: number,
  ): { status: HoldStatus | 'notFound' } | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const hold = this.holds.get(holdId);
    if (hold?.account !== account) return { status: 'notFound' };
    if (hold.state !== 'held') return { status: hold.state };
    if (hold.epoch !== this.epoch) return { status: 'released' };
    this.#endHold(hold);
    const place = this.#placeOf(hold.number);
    if (this.numbers.get(account) !== hold.number) return { status: 'released' };
    // The slot of this turn was used.
    if (place?.step?.closed === false && hold.expiresAtMs > nowMs) place.state = 'refused';
    else this.#dropNumber(hold);
    return { status: 'released' };
  }

  sweep(epoch: number, atMost: number, nowMs: number): { status: 'swept'; holds: number; tickets: number } | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const expired = this.liveHolds
      .filter(({ state, expiresAtMs }) => state === 'held' && expiresAtMs <= nowMs)
      .sort((a, b) => a.expiresAtMs - b.expiresAtMs || (a.id < b.id ? -1 : 1))
      .slice(0, atMost);
    for (const hold of expired) {
      this.#endHold(hold);
      this.#dropNumber(hold);
    }
    return {
      status: 'swept',
      holds: expired.length,
      tickets: expired.reduce((sum, { quantity }) => sum + quantity, 0),
    };
  }

  // --- payments ---------------------------------------------------------------------------------------------------

  beginPayment(
    epoch: number,
    account: number,
    ids: { holdId: string; paymentId: string; request: ModelRequest },
    nowMs: number,
  ): BegunPayment | Lost {
    const { holdId, paymentId, request } = ids;
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const hold = this.holds.get(holdId);
    if (hold?.account !== account) return { status: 'notFound' };
    const seen = this.#seen(account, request);
    if (seen !== undefined) {
      return seen.same && seen.id !== '' ? { status: 'repeated', paymentId: seen.id } : { status: 'keyReused' };
    }
    if ((hold.state === 'paying' || hold.state === 'sold') && hold.paymentId !== undefined) {
      this.#remember(account, request, hold.paymentId);
      return { status: 'repeated', paymentId: hold.paymentId };
    }
    if (!this.#isLive(hold) || hold.expiresAtMs <= nowMs) return { status: 'holdExpired' };
    hold.state = 'paying';
    hold.paymentId = paymentId;
    const { quantity, amount, tickets } = hold;
    this.payments.set(paymentId, {
      id: paymentId,
      account,
      holdId,
      quantity,
      amount,
      status: 'pending',
      epoch: this.epoch,
    });
    this.#remember(account, request, paymentId);
    return { status: 'started', paymentId, amount, ticketNumbers: tickets };
  }

  confirmPayment(epoch: number, payment: ModelPayment, amount: number): ConfirmedPayment | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const hold = this.holds.get(payment.holdId);
    if (hold === undefined) throw new Error(`the model lost hold ${payment.holdId}`);
    const ours = hold.paymentId === payment.id;
    if (hold.state === 'sold' && ours && hold.epoch === this.epoch) return this.#confirmed(hold);
    if ((hold.state === 'paying' || hold.state === 'sold') && !ours) return { status: 'gone' };
    if (hold.amount !== amount) return { status: 'amountDiffers', amount: hold.amount };
    if (this.#isLive(hold)) {
      this.#dropNumber(hold);
      return this.#sell(hold, payment, hold.tickets);
    }
    const has = this.bought(payment.account) + (this.liveHoldOf(payment.account)?.quantity ?? 0);
    if (has + payment.quantity > this.settings.limitPerBuyer || this.available < payment.quantity)
      return { status: 'gone' };
    return this.#sell(hold, payment, this.#take(payment.quantity, IN_STOCK));
  }

  #sell(hold: ModelHold, payment: ModelPayment, tickets: readonly number[]): ConfirmedPayment {
    this.confirmSeq += 1;
    Object.assign(hold, {
      state: 'sold',
      epoch: this.epoch,
      paymentId: payment.id,
      tickets,
      confirmSeq: this.confirmSeq,
    });
    const id = `order-of-${payment.id}`;
    this.#give(tickets, { kind: 'sold', id });
    this.orders.push({ id, paymentId: payment.id, account: payment.account, tickets, durable: false, returned: false });
    return this.#confirmed(hold);
  }
  #confirmed({ confirmSeq, tickets }: ModelHold): ConfirmedPayment {
    return { status: 'confirmed', confirmSeq, capacity: this.capacity, ticketNumbers: tickets };
  }

  failPayment(
    epoch: number,
    payment: ModelPayment,
    graceMs: number,
    nowMs: number,
  ): { status: 'failed' | 'gone' } | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    if (payment.status === 'pending') payment.status = 'failed';
    const hold = this.holds.get(payment.holdId);
    if (hold?.state !== 'paying' || hold.paymentId !== payment.id) return { status: 'gone' };
    if (hold.epoch !== this.epoch) {
      hold.state = 'released';
      return { status: 'gone' };
    }
    hold.state = 'held';
    hold.expiresAtMs = Math.max(hold.expiresAtMs, nowMs + graceMs);
    return { status: 'failed' };
  }

  /** The log has the order, or says that the money went back. */
  completePayment(epoch: number, payment: ModelPayment, status: 'succeeded' | 'refunded'): undefined {
    for (const order of this.orders) if (order.paymentId === payment.id && status === 'succeeded') order.durable = true;
    if (payment.status === 'refunded') return;
    payment.status = status;
    if (epoch === this.epoch) payment.epoch = epoch;
  }

  returnTickets(epoch: number, order: ModelOrder): { status: 'returned' | 'repeated' } | Lost {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    if (order.returned) return { status: 'repeated' };
    order.returned = true;
    this.#give(order.tickets, IN_STOCK);
    return { status: 'returned' };
  }

  // --- the sale ---------------------------------------------------------------------------------------------------

  changePhase(epoch: number, action: PhaseAction, nowMs: number) {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const from = this.#phaseNow(nowMs);
    const [sources, to] = {
      open: [['scheduled'], 'open'],
      pause: [['open'], 'paused'],
      resume: [['paused'], 'open'],
      close: [['scheduled', 'open', 'paused'], 'closed'],
    }[action] as [readonly StoredPhase[], StoredPhase];
    if (!sources.includes(from)) return { status: 'wrongPhase', phase: from };
    this.phase = to;
    this.phaseSeq += 1;
    if (to === 'paused') this.#stopWindows(nowMs);
    return { status: 'changed', phaseSeq: this.phaseSeq, from, to };
  }

  setAdmission(epoch: number, maxActive: number) {
    if (epoch !== this.epoch) return { status: 'wrongEpoch' };
    const { perSecond } = this.settings;
    const from = { perSecond, maxActive: this.maxActive, mode: 'fixed' };
    this.maxActive = maxActive;
    this.admissionSeq += 1;
    return { status: 'set', admissionSeq: this.admissionSeq, perSecond, maxActive, mode: 'fixed', from };
  }

  configure(
    version: number,
    capacity: number,
    rejoin: RejoinRule,
    opensAtMs: number,
  ): { status: 'configured' | 'current' } | { status: 'capacityInUse'; lowestCapacity: number } {
    if (version <= this.version) return { status: 'current' };
    if (capacity < this.highestGiven) return { status: 'capacityInUse', lowestCapacity: this.highestGiven };
    this.version = version;
    this.rejoin = rejoin;
    this.opensAtMs = opensAtMs;
    this.capacity = capacity;
    this.owners = Array.from({ length: capacity }, (_, index) => this.owners[index] ?? IN_STOCK);
    return { status: 'configured' };
  }

  /** Redis lost the sale, and it was rebuilt from the orders that are durable. Hold hashes and queue numbers are still there. */
  rebuild(): void {
    this.epoch += 1;
    this.orders = this.orders.filter(({ durable }) => durable);
    this.owners = this.owners.map(() => IN_STOCK);
    for (const { id, tickets } of this.liveOrders) this.#give(tickets, { kind: 'sold', id });
    this.highestGiven = Math.max(0, ...this.#numbersWhere(({ kind }) => kind === 'sold'));
    this.drawn = (this.epoch - 1) * NUMBERS_PER_EPOCH;
    this.serving = this.drawn;
    this.lease = { holder: '', beat: 0, fence: 0, controller: '' };
    this.stops = [];
    this.came = noOne();
    this.steps = [];
    this.places = [];
  }
}
