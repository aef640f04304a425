/** Every Lua script with its keys, arguments and decoded replies. The contract of each is the header of its file. */
import type { AdmissionMode, HoldStatus, StoredPhase } from '../contract/words.ts';
import { defineScript, type ScriptReply, unexpectedReply } from './define-script.ts';
import { parseStoredEpoch } from './run-id.ts';

/** The sale has no state in Redis, or one of another epoch: it was lost and is (being) rebuilt. */
export type Lost = { readonly status: 'missing' } | { readonly status: 'wrongEpoch' };

function asNumber(value: number | string | undefined): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`a script replied ${String(value)} where an integer belongs`);
  return number;
}

function asNumbers(value: number | string | undefined): readonly number[] {
  const text = String(value ?? '');
  return text === '' ? [] : text.split(',').map(asNumber);
}

function lostOr<Result>(name: string, reply: ScriptReply, decode: () => Result | undefined): Result | Lost {
  if (reply[0] === 'missing' || reply[0] === 'wrongEpoch') return { status: reply[0] };
  return decode() ?? unexpectedReply(name, reply);
}

const NEW_SALE_ARGUMENTS = [
  'version',
  'epoch',
  'phase',
  'phaseSeq',
  'capacity',
  'price',
  'limitPerBuyer',
  'opensAtMs',
  'closesAtMs',
  'holdMs',
  'admissionMs',
  'rejoin',
  'mode',
  'perSecond',
  'maxActive',
  'admissionSeq',
  'drawn',
  'sold',
  'nextFresh',
  'confirmSeq',
] as const;

export const createSaleScript = defineScript({
  name: 'create-sale',
  keys: ['sale'],
  args: NEW_SALE_ARGUMENTS,
  decode: (reply) => ({ created: reply[0] === 'created', epoch: parseStoredEpoch(String(reply[1])).epoch }),
});

export const restoreSaleScript = defineScript({
  name: 'restore-sale',
  keys: [
    'sale',
    'steps',
    'remaining',
    'departed',
    'released',
    'expiry',
    'paying',
    'buyers',
    'bought',
    'returned',
    'stagedReleased',
    'stagedBought',
    'stagedReturned',
  ],
  args: [
    ...NEW_SALE_ARGUMENTS,
    'releasedCount',
    'boughtCount',
    'returnedCount',
    'holdPrefix',
    'paymentPrefix',
    'finishedTtlSeconds',
  ],
  decode(reply): { readonly status: 'restored' | 'exists' | 'stagingLost'; readonly epoch: number } {
    const [status, text] = reply;
    const { epoch } = parseStoredEpoch(String(text));
    if (status === 'restored' || status === 'exists' || status === 'stagingLost') return { status, epoch };
    return unexpectedReply('restore-sale', reply);
  },
});

export const configureSaleScript = defineScript({
  name: 'configure-sale',
  keys: ['sale', 'released'],
  args: [
    'epoch',
    'version',
    'capacity',
    'price',
    'limitPerBuyer',
    'opensAtMs',
    'closesAtMs',
    'holdMs',
    'admissionMs',
    'rejoin',
  ],
  decode: (reply) =>
    lostOr<
      | { readonly status: 'configured' | 'current' }
      | { readonly status: 'capacityInUse'; readonly lowestCapacity: number }
    >('configure-sale', reply, () => {
      const status = reply[0];
      if (status === 'configured' || status === 'current') return { status };
      return status === 'capacityInUse' ? { status, lowestCapacity: asNumber(reply[1]) } : undefined;
    }),
});

export interface Joined {
  readonly status: 'joined';
  readonly number: number;
  readonly servingNumber: number;
  /** Unix milliseconds; undefined while waiting. */
  readonly admittedUntilMs: number | undefined;
}

/** No number is drawn now. `scheduled`: not yet. */
export interface NotOpen {
  readonly status: 'notOpen';
  readonly opensAtMs: number;
  readonly phase: Exclude<StoredPhase, 'open'>;
}

export const joinQueueScript = defineScript({
  name: 'join-queue',
  keys: ['sale', 'numbers', 'steps', 'departed', 'request'],
  args: ['epoch', 'nowMs', 'account', 'field', 'requestFingerprint', 'requestTtlSeconds', 'earlyJoinMs'],
  decode: (reply) =>
    lostOr<Joined | NotOpen | { readonly status: 'soldOut' | 'keyReused' }>('join-queue', reply, () => {
      if (reply[0] === 'joined') {
        return {
          status: 'joined',
          number: asNumber(reply[1]),
          servingNumber: asNumber(reply[2]),
          admittedUntilMs: reply[3] === 1 ? asNumber(reply[4]) : undefined,
        };
      }
      if (reply[0] === 'notOpen') {
        return { status: 'notOpen', opensAtMs: asNumber(reply[2]), phase: reply[3] as NotOpen['phase'] };
      }
      if (reply[0] === 'soldOut' || reply[0] === 'keyReused') return { status: reply[0] };
      return undefined;
    }),
});

export const leaveQueueScript = defineScript({
  name: 'leave-queue',
  keys: ['sale', 'numbers', 'steps', 'remaining', 'departed', 'buyers'],
  args: ['epoch', 'nowMs', 'account', 'field', 'number'],
  decode: (reply) =>
    lostOr('leave-queue', reply, () =>
      reply[0] === 'left' || reply[0] === 'gone' ? { status: reply[0] as 'left' | 'gone' } : undefined,
    ),
});

export interface TakenHold {
  readonly status: 'held' | 'repeated';
  readonly holdId: string;
  readonly state: HoldStatus;
  readonly expiresAtMs: number;
  readonly amount: number;
  readonly ticketNumbers: readonly number[];
}

export type HoldRefusal =
  | { readonly status: 'notAdmitted'; readonly servingNumber: number }
  | { readonly status: 'limitReached'; readonly bought: number; readonly limit: number }
  | { readonly status: 'soldOut'; readonly available: number }
  | { readonly status: 'notOpen' | 'admissionExpired' | 'busy' | 'keyReused' };

function decodeHold(reply: ScriptReply): TakenHold | HoldRefusal | undefined {
  const [status, first, second] = reply;
  switch (status) {
    case 'held':
    case 'repeated':
      return {
        status,
        expiresAtMs: asNumber(second),
        amount: asNumber(reply[3]),
        state: reply[4] as HoldStatus,
        holdId: String(reply[5]),
        ticketNumbers: asNumbers(reply[6]),
      };
    case 'notAdmitted':
      return { status, servingNumber: asNumber(first) };
    case 'limitReached':
      return { status, bought: asNumber(first), limit: asNumber(second) };
    case 'soldOut':
      return { status, available: asNumber(first) };
    case 'notOpen':
    case 'admissionExpired':
    case 'busy':
    case 'keyReused':
      return { status };
    default:
      return undefined;
  }
}

export const takeHoldScript = defineScript({
  name: 'take-hold',
  keys: [
    'sale',
    'numbers',
    'steps',
    'remaining',
    'released',
    'expiry',
    'buyers',
    'bought',
    'hold',
    'request',
    'departed',
  ],
  args: [
    'epoch',
    'nowMs',
    'account',
    'field',
    'number',
    'quantity',
    'holdId',
    'holdPrefix',
    'requestFingerprint',
    'requestTtlSeconds',
  ],
  decode: (reply) => lostOr('take-hold', reply, () => decodeHold(reply)),
});

export const releaseHoldScript = defineScript({
  name: 'release-hold',
  keys: ['sale', 'departed', 'released', 'expiry', 'buyers', 'hold'],
  args: ['epoch', 'nowMs', 'account', 'holdId', 'finishedTtlSeconds'],
  decode: (reply) =>
    lostOr('release-hold', reply, () => {
      const status = reply[0];
      return status === 'released' || status === 'paying' || status === 'sold' || status === 'notFound'
        ? { status }
        : undefined;
    }),
});

export const sweepHoldsScript = defineScript({
  name: 'sweep-holds',
  keys: ['sale', 'released', 'expiry', 'buyers'],
  args: ['epoch', 'nowMs', 'holdPrefix', 'atMost', 'finishedTtlSeconds'],
  decode: (reply) =>
    lostOr('sweep-holds', reply, () =>
      reply[0] === 'swept'
        ? { status: 'swept' as const, holds: asNumber(reply[1]), tickets: asNumber(reply[2]) }
        : undefined,
    ),
});

export type BegunPayment =
  | {
      readonly status: 'started';
      readonly paymentId: string;
      readonly amount: number;
      readonly ticketNumbers: readonly number[];
    }
  | { readonly status: 'repeated'; readonly paymentId: string }
  | { readonly status: 'notFound' | 'holdExpired' | 'keyReused' };

function decodeBegunPayment(reply: ScriptReply): BegunPayment | undefined {
  const status = reply[0];
  switch (status) {
    case 'started':
      return {
        status,
        amount: asNumber(reply[2]),
        ticketNumbers: asNumbers(reply[3]),
        paymentId: String(reply[4]),
      };
    case 'repeated':
      return { status, paymentId: String(reply[4]) };
    case 'notFound':
    case 'holdExpired':
    case 'keyReused':
      return { status };
    default:
      return undefined;
  }
}

export const beginPaymentScript = defineScript({
  name: 'begin-payment',
  keys: ['sale', 'hold', 'payment', 'expiry', 'paying', 'request'],
  args: [
    'epoch',
    'nowMs',
    'account',
    'holdId',
    'paymentId',
    'method',
    'logId',
    'requestFingerprint',
    'requestTtlSeconds',
  ],
  decode: (reply) => lostOr('begin-payment', reply, () => decodeBegunPayment(reply)),
});

export type ConfirmedPayment =
  | {
      readonly status: 'confirmed';
      readonly confirmSeq: number;
      readonly capacity: number;
      readonly ticketNumbers: readonly number[];
    }
  | { readonly status: 'gone' }
  | { readonly status: 'amountDiffers'; readonly amount: number };

function decodeConfirmedPayment(reply: ScriptReply): ConfirmedPayment | undefined {
  const status = reply[0];
  switch (status) {
    case 'confirmed':
      return {
        status,
        confirmSeq: asNumber(reply[2]),
        capacity: asNumber(reply[3]),
        ticketNumbers: asNumbers(reply[4]),
      };
    case 'gone':
      return { status };
    case 'amountDiffers':
      return { status, amount: asNumber(reply[1]) };
    default:
      return undefined;
  }
}

export const confirmPaymentScript = defineScript({
  name: 'confirm-payment',
  keys: ['sale', 'hold', 'buyers', 'bought', 'paying', 'released', 'expiry'],
  args: ['epoch', 'account', 'holdId', 'paymentId', 'amount', 'quantity'],
  decode: (reply) => lostOr('confirm-payment', reply, () => decodeConfirmedPayment(reply)),
});

export const failPaymentScript = defineScript({
  name: 'fail-payment',
  keys: ['sale', 'hold', 'payment', 'expiry', 'paying', 'request'],
  args: ['epoch', 'nowMs', 'holdId', 'paymentId', 'failureCode', 'graceMs', 'finishedTtlSeconds'],
  decode: (reply) =>
    lostOr('fail-payment', reply, () =>
      reply[0] === 'failed' || reply[0] === 'gone' ? { status: reply[0] as 'failed' | 'gone' } : undefined,
    ),
});

export const completePaymentScript = defineScript({
  name: 'complete-payment',
  keys: ['sale', 'payment', 'hold'],
  args: ['epoch', 'account', 'holdId', 'status', 'orderId', 'failureCode', 'finishedTtlSeconds'],
  decode: (reply) => (reply[0] === 'completed' ? undefined : unexpectedReply('complete-payment', reply)),
});

export const forgetOutcomeScript = defineScript({
  name: 'forget-outcome',
  keys: ['payment'],
  args: [],
  decode(reply): { readonly status: 'forgotten' | 'final' } {
    const [status] = reply;
    return status === 'forgotten' || status === 'final' ? { status } : unexpectedReply('forget-outcome', reply);
  },
});

export const returnTicketsScript = defineScript({
  name: 'return-tickets',
  keys: ['sale', 'released', 'bought', 'returned', 'voided'],
  args: ['epoch', 'account', 'orderId', 'tickets'],
  decode: (reply) =>
    lostOr('return-tickets', reply, () =>
      reply[0] === 'returned' || reply[0] === 'repeated' ? { status: reply[0] as 'returned' | 'repeated' } : undefined,
    ),
});

export type PhaseAction = 'open' | 'pause' | 'resume' | 'close';

export const changePhaseScript = defineScript({
  name: 'change-phase',
  keys: ['sale'],
  args: ['epoch', 'nowMs', 'action'],
  decode: (reply) =>
    lostOr<
      | { readonly status: 'changed'; readonly phaseSeq: number; readonly from: StoredPhase; readonly to: StoredPhase }
      | { readonly status: 'wrongPhase'; readonly phase: StoredPhase }
    >('change-phase', reply, () => {
      if (reply[0] === 'changed') {
        return {
          status: 'changed',
          phaseSeq: asNumber(reply[1]),
          from: reply[2] as StoredPhase,
          to: reply[3] as StoredPhase,
        };
      }
      return reply[0] === 'wrongPhase' ? { status: 'wrongPhase', phase: reply[2] as StoredPhase } : undefined;
    }),
});

export const setAdmissionScript = defineScript({
  name: 'set-admission',
  keys: ['sale'],
  args: ['epoch', 'mode', 'perSecond', 'maxActive', 'perSecondHighest', 'perSecondDefault'],
  decode: (reply) =>
    lostOr('set-admission', reply, () =>
      reply[0] === 'set'
        ? {
            status: 'set' as const,
            admissionSeq: asNumber(reply[1]),
            perSecond: asNumber(reply[2]),
            maxActive: asNumber(reply[3]),
            mode: reply[4] as AdmissionMode,
          }
        : undefined,
    ),
});

export interface LeaderTick {
  readonly status: 'leader';
  readonly fence: number;
  readonly servingNumber: number;
  readonly drawn: number;
  /** Admitted buyers whose window is open and who have not held yet. */
  readonly pending: number;
  /** Live holds. */
  readonly inside: number;
  readonly available: number;
  readonly perSecond: number;
  readonly maxActive: number;
  readonly phaseSeq: number;
  /** Slots freed by this tick because their window passed. */
  readonly freed: number;
  readonly mode: AdmissionMode;
  readonly phase: StoredPhase;
  readonly phaseBefore: StoredPhase;
  readonly admissionMs: number;
  /** Now in the time of the admission windows, which stands still while nobody could use one; Unix milliseconds or less. */
  readonly windowMs: number;
  /** Since the sale's state began: buyers who came, by the age class of their admission. */
  readonly showsByAge: readonly number[];
  /** `pending`, by the age class of the admission. */
  readonly pendingByAge: readonly number[];
  /** What the leader's admission controller remembered last; '' when there is nothing. */
  readonly controller: string;
}

export interface FollowerTick {
  readonly status: 'follower';
  /** Counted up by the leader with every tick: one that stands still has no leader any more. */
  readonly leaseBeat: number;
}

export const tickScript = defineScript({
  name: 'tick',
  keys: ['sale', 'steps', 'remaining', 'departed'],
  args: [
    'epoch',
    'nowMs',
    'node',
    'idleBeat',
    'stepsAtMost',
    'agedStepsAtMost',
    'sampledStepsAtMost',
    'controller',
    'ratePerSecond',
  ],
  decode: (reply) =>
    lostOr<LeaderTick | FollowerTick>('tick', reply, () => {
      if (reply[0] === 'follower') return { status: 'follower', leaseBeat: asNumber(reply[1]) };
      if (reply[0] !== 'leader') return undefined;
      return {
        status: 'leader',
        fence: asNumber(reply[1]),
        servingNumber: asNumber(reply[2]),
        drawn: asNumber(reply[3]),
        pending: asNumber(reply[4]),
        inside: asNumber(reply[5]),
        available: asNumber(reply[6]),
        perSecond: asNumber(reply[7]),
        maxActive: asNumber(reply[8]),
        phaseSeq: asNumber(reply[9]),
        freed: asNumber(reply[10]),
        mode: reply[11] as AdmissionMode,
        phase: reply[12] as StoredPhase,
        phaseBefore: reply[13] as StoredPhase,
        admissionMs: asNumber(reply[14]),
        windowMs: asNumber(reply[15]),
        showsByAge: asNumbers(reply[16]),
        pendingByAge: asNumbers(reply[17]),
        controller: String(reply[18]),
      };
    }),
});

export const advanceServingScript = defineScript({
  name: 'advance-serving',
  keys: ['sale', 'steps', 'remaining', 'departed'],
  args: ['epoch', 'nowMs', 'node', 'fence', 'expectedServing', 'admit', 'ghostsAtMost', 'pendingAtMost'],
  decode: (reply) =>
    lostOr('advance-serving', reply, () => {
      const status = reply[0];
      return status === 'advanced' || status === 'stale' || status === 'refused'
        ? { status, servingNumber: asNumber(reply[1]), admitted: asNumber(reply[2]) }
        : undefined;
    }),
});

export const releaseLeaseScript = defineScript({
  name: 'release-lease',
  keys: ['sale'],
  args: ['epoch', 'node', 'fence', 'controller'],
  decode: (reply) =>
    lostOr('release-lease', reply, () =>
      reply[0] === 'released' || reply[0] === 'notHeld' ? { status: reply[0] as 'released' | 'notHeld' } : undefined,
    ),
});

/** One admission: everybody up to `servingNumber` (and above the step before) was admitted at `atMs`. */
export interface AdmissionStep {
  readonly servingNumber: number;
  readonly atMs: number;
}

export interface SaleSnapshot {
  readonly status: 'state';
  readonly epoch: number;
  /** The Redis process that this state was made in. */
  readonly run: string;
  readonly seq: number;
  readonly storedPhase: StoredPhase;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly capacity: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly servingNumber: number;
  readonly drawn: number;
  readonly expiredThrough: number;
  readonly admissionMs: number;
  readonly pending: number;
  readonly inside: number;
  readonly perSecond: number;
  readonly maxActive: number;
  readonly version: number;
  readonly price: number;
  readonly limitPerBuyer: number;
  readonly mode: AdmissionMode;
  /** How long the time of the admission windows has stood still so far, without the present stop. */
  readonly windowsStoppedMs: number;
  /** Since when it stands still; 0: it goes on. */
  readonly windowsStoppedAtMs: number;
  /** Buyers a second that the admission controller allows at present, rounded; 0 before it has decided anything. */
  readonly ratePerSecond: number;
  /** Only those newer than asked for; in the time of the windows. */
  readonly newSteps: readonly AdmissionStep[];
}

const STATE_FIELDS = 25;

function decodeSteps(reply: ScriptReply): readonly AdmissionStep[] {
  const steps: AdmissionStep[] = [];
  for (let index = STATE_FIELDS; index + 1 < reply.length; index += 2) {
    steps.push({ servingNumber: asNumber(reply[index]), atMs: asNumber(reply[index + 1]) });
  }
  return steps;
}

export const readStateScript = defineScript({
  name: 'read-state',
  keys: ['sale', 'steps'],
  args: ['newerThan', 'stepsAtMost'],
  decode(reply): SaleSnapshot | { readonly status: 'missing' } {
    if (reply[0] === 'missing') return { status: 'missing' };
    if (reply[0] !== 'state') return unexpectedReply('read-state', reply);
    return {
      status: 'state',
      ...parseStoredEpoch(String(reply[1])),
      seq: asNumber(reply[2]),
      storedPhase: reply[3] as StoredPhase,
      opensAtMs: asNumber(reply[4]),
      closesAtMs: asNumber(reply[5]),
      capacity: asNumber(reply[6]),
      available: asNumber(reply[7]),
      held: asNumber(reply[8]),
      sold: asNumber(reply[9]),
      servingNumber: asNumber(reply[10]),
      drawn: asNumber(reply[11]),
      expiredThrough: asNumber(reply[12]),
      admissionMs: asNumber(reply[13]),
      pending: asNumber(reply[14]),
      inside: asNumber(reply[15]),
      perSecond: asNumber(reply[16]),
      maxActive: asNumber(reply[17]),
      version: asNumber(reply[18]),
      price: asNumber(reply[19]),
      limitPerBuyer: asNumber(reply[20]),
      mode: reply[21] as AdmissionMode,
      windowsStoppedMs: asNumber(reply[22]),
      windowsStoppedAtMs: asNumber(reply[23]),
      ratePerSecond: asNumber(reply[24]),
      newSteps: decodeSteps(reply),
    };
  },
});

/** Ticket numbers from `first` to `last`, both included. */
export interface TicketRange {
  readonly first: number;
  readonly last: number;
}

/** The stock of a sale at one moment. Numbers that Redis has not, or not as numbers, are NaN: that is for an audit to find. */
export interface AuditedStock {
  readonly status: 'state';
  readonly epoch: number;
  /** The Redis process that this state was made in. */
  readonly run: string;
  readonly version: number;
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly nextFresh: number;
  /** The last number drawn by a confirmation: orders with a higher one were confirmed after this moment. */
  readonly confirmSeq: number;
  /** Released numbers, also those outside the slice. */
  readonly releasedCount: number;
  readonly liveHolds: number;
  /** Last ticket number of this slice; undefined: it reaches the end. */
  readonly through: number | undefined;
  /** Of the slice, ascending. */
  readonly released: readonly TicketRange[];
  /** Of all live holds; undefined: there are more than were asked for. */
  readonly holdIds: readonly string[] | undefined;
}

const AUDITED_FIELDS = 14;

function countOf(value: number | string | undefined): number {
  return value === '' || value === undefined ? Number.NaN : Number(value);
}

function decodeRanges(value: number | string | undefined): readonly TicketRange[] {
  const text = String(value ?? '');
  if (text === '') return [];
  return text.split(',').map((range) => {
    const [first, last = first] = range.split('-');
    return { first: Number(first), last: Number(last) };
  });
}

export const auditStateScript = defineScript({
  name: 'audit-state',
  keys: ['sale', 'released', 'expiry', 'paying'],
  args: ['fromNumber', 'releasedAtMost', 'holdsAtMost'],
  decode(reply): AuditedStock | { readonly status: 'missing' } {
    if (reply[0] === 'missing') return { status: 'missing' };
    if (reply[0] !== 'state' && reply[0] !== 'crowded') return unexpectedReply('audit-state', reply);
    const through = countOf(reply[12]);
    return {
      status: 'state',
      ...parseStoredEpoch(String(reply[1])),
      version: countOf(reply[2]),
      capacity: countOf(reply[3]),
      limitPerBuyer: countOf(reply[4]),
      available: countOf(reply[5]),
      held: countOf(reply[6]),
      sold: countOf(reply[7]),
      nextFresh: countOf(reply[8]),
      confirmSeq: countOf(reply[9]),
      releasedCount: countOf(reply[10]),
      liveHolds: countOf(reply[11]),
      through: through === 0 ? undefined : through,
      released: decodeRanges(reply[13]),
      holdIds: reply[0] === 'crowded' ? undefined : reply.slice(AUDITED_FIELDS).map(String),
    };
  },
});
