/** What the waiting room's scripts reply, and what they leave behind. */
import {
  advanceServingScript,
  type LeaderTick,
  releaseLeaseScript,
  tickScript,
} from '@fest/server/redis/scripts/admission';
import { joinQueueScript, leaveQueueScript } from '@fest/server/redis/scripts/waiting-room';
import { requestName } from '../support/call-script.ts';
import { patched, type StatePatch } from '../support/sale-redis.ts';
import { lostRows, table } from '../support/table.ts';
import { ADMISSION_MS, CLOSES, EPOCH, NOW, ONE_HOLDS, OPENS, TWO_ADMITTED } from './states.ts';

const WINDOW_ENDS = NOW - 10_000 + ADMISSION_MS;
const joined = (number: number, admittedUntilMs?: number) =>
  ({ status: 'joined', number, servingNumber: 2, admittedUntilMs }) as const;
const drew = (account: number, number: number): StatePatch => ({
  sale: { drawn: number },
  'numbers:0': { [account]: number },
});
const REMEMBERED: StatePatch = { [requestName(9, 'k')]: 'same', expiring: [requestName(9, 'k')] };

export const joinQueueTable = table(
  joinQueueScript,
  { state: TWO_ADMITTED, args: { epoch: EPOCH, nowMs: NOW, account: 10 } },
  {
    'draws the next number, once': { reply: joined(4), changes: drew(10, 4), again: joined(4) },
    'finds the number of an account that waits': { args: { account: 9 }, reply: joined(3) },
    'moves an account that waits to the tail under the tail rule': {
      args: { account: 9 },
      given: { sale: { rejoin: 'tail' } },
      reply: joined(4),
      changes: { ...drew(9, 4), departed: { 3: 3 } },
    },
    'moves to the tail once for the same Idempotency-Key': {
      args: { account: 9, requestFingerprint: 'same' },
      idempotencyKey: 'k',
      given: { sale: { rejoin: 'tail' } },
      reply: joined(4),
      changes: { ...drew(9, 4), departed: { 3: 3 }, ...REMEMBERED },
      again: joined(4),
    },
    'refuses an Idempotency-Key that came with another request': {
      args: { account: 9, requestFingerprint: 'other' },
      idempotencyKey: 'k',
      given: REMEMBERED,
      reply: { status: 'keyReused' },
    },
    'tells an admitted account until when, up to the last millisecond': {
      args: { account: 7, nowMs: WINDOW_ENDS - 1 },
      reply: joined(1, WINDOW_ENDS),
    },
    'leaves an admitted account its number under the tail rule too': {
      args: { account: 7 },
      given: { sale: { rejoin: 'tail' } },
      reply: joined(1, WINDOW_ENDS),
    },
    'draws a new number, and no ghost, from the end of the window on': {
      args: { account: 7, nowMs: WINDOW_ENDS },
      reply: joined(4),
      changes: drew(7, 4),
    },
    'tells later the longer the windows have stood still': {
      args: { account: 7, nowMs: WINDOW_ENDS },
      given: { sale: { windowsStoppedMs: 400, windowsStoppedAtMs: WINDOW_ENDS - 100 } },
      reply: joined(1, WINDOW_ENDS + 500),
    },
    'draws a new number for one whose window was closed by a tick': {
      args: { account: 7 },
      given: { sale: { expiredThrough: 2, pending: 0 }, steps: null, remaining: null },
      reply: joined(4),
      changes: drew(7, 4),
    },
    'lets nobody join a paused sale': {
      given: { sale: { phase: 'paused' } },
      reply: { status: 'notOpen', opensAtMs: OPENS, phase: 'paused' },
    },
    'finds a number while the sale is paused': {
      args: { account: 9 },
      given: { sale: { phase: 'paused' } },
      reply: joined(3),
    },
    'draws numbers so long before the opening': {
      args: { nowMs: OPENS - 70_000, earlyJoinMs: 70_000 },
      given: { sale: { phase: 'scheduled' } },
      reply: joined(4),
      changes: drew(10, 4),
      again: joined(4),
    },
    'refuses until the last millisecond before that': {
      args: { nowMs: OPENS - 70_001, earlyJoinMs: 70_000 },
      given: { sale: { phase: 'scheduled' } },
      reply: { status: 'notOpen', opensAtMs: OPENS, phase: 'scheduled' },
    },
    'finds a number before that too: of one who came before the opening was put off': {
      args: { account: 9, nowMs: OPENS - 70_001, earlyJoinMs: 70_000 },
      given: { sale: { phase: 'scheduled' } },
      reply: joined(3),
    },
    'moves nobody to the tail before numbers are drawn': {
      args: { account: 9, nowMs: OPENS - 70_001, earlyJoinMs: 70_000 },
      given: { sale: { phase: 'scheduled', rejoin: 'tail' } },
      reply: { status: 'notOpen', opensAtMs: OPENS, phase: 'scheduled' },
    },
    'lets people join exactly at the opening, before any tick': {
      args: { nowMs: OPENS },
      given: { sale: { phase: 'scheduled' } },
      reply: joined(4),
      changes: drew(10, 4),
    },
    'refuses everybody exactly at the closing': {
      args: { account: 9, nowMs: CLOSES },
      reply: { status: 'notOpen', opensAtMs: OPENS, phase: 'closed' },
    },
    'lets people join until the last millisecond before the closing': {
      args: { nowMs: CLOSES - 1 },
      reply: joined(4),
      changes: drew(10, 4),
    },
    'refuses newcomers when nothing is available': {
      given: { sale: { available: 0, sold: 10 } },
      reply: { status: 'soldOut' },
    },
    'finds a number when nothing is available': {
      args: { account: 9 },
      given: { sale: { available: 0, sold: 10 } },
      reply: joined(3),
    },
    ...lostRows<'epoch'>(),
  },
);

export const leaveQueueTable = table(
  leaveQueueScript,
  { state: TWO_ADMITTED, args: { epoch: EPOCH, nowMs: NOW, account: 9, number: 3 } },
  {
    'takes a waiting number out of the line, once': {
      reply: { status: 'left' },
      changes: { sale: { seq: 101 }, 'numbers:0': { 9: null }, departed: { 3: 3 } },
      again: { status: 'gone' },
    },
    'frees the slot of an admitted buyer at once, and once': {
      args: { account: 7, number: 1 },
      reply: { status: 'left' },
      changes: { sale: { seq: 101, pending: 1 }, remaining: { 2: 1 }, 'numbers:0': { 7: null } },
      again: { status: 'gone' },
    },
    'leaves a live hold alone': {
      from: ONE_HOLDS,
      args: { account: 7, number: 1 },
      reply: { status: 'left' },
      changes: { sale: { seq: 101 }, 'numbers:0': { 7: null } },
    },
    'frees no slot after a tick closed the window': {
      args: { account: 7, number: 1 },
      given: { sale: { expiredThrough: 2, pending: 0 }, steps: null, remaining: null },
      reply: { status: 'left' },
      changes: { sale: { seq: 101 }, 'numbers:0': { 7: null } },
    },
    'frees no slot of one who came for nothing': {
      args: { account: 7, number: 1 },
      given: { sale: { pending: 1 }, remaining: { 2: 1 }, departed: { 1: 1 } },
      reply: { status: 'left' },
      changes: { sale: { seq: 101 }, departed: null, 'numbers:0': { 7: null } },
    },
    'replies gone to a number the account has moved on from': {
      given: { 'numbers:0': { 9: 5 } },
      reply: { status: 'gone' },
    },
    'replies gone to the number of somebody else': { args: { number: 1 }, reply: { status: 'gone' } },
    ...lostRows<'epoch'>(),
  },
);

const NOBODY = Array.from({ length: 12 }, () => 0);
/** By age class, counted from 1. */
const pendingAt = (ageClass: number, people: number): readonly number[] => NOBODY.with(ageClass - 1, people);
const leader = (facts: Partial<LeaderTick> = {}): LeaderTick => ({
  status: 'leader',
  fence: 1,
  servingNumber: 2,
  drawn: 3,
  pending: 2,
  inside: 0,
  available: 10,
  perSecond: 5,
  maxActive: 3,
  phaseSeq: 4,
  freed: 0,
  mode: 'fixed',
  phase: 'open',
  phaseBefore: 'open',
  admissionMs: ADMISSION_MS,
  windowMs: NOW,
  showsByAge: NOBODY,
  // Admitted 10 s ago.
  pendingByAge: pendingAt(5, 2),
  controller: '',
  ...facts,
});
const leaseOf = (leaseHolder: string, leaseBeat: number, fence: number) => ({ leaseHolder, leaseBeat, fence });
const LED = leaseOf('node-a', 1, 1);
const SECOND_BEAT: StatePatch = { sale: { leaseBeat: 2 } };

export const tickTable = table(
  tickScript,
  {
    state: TWO_ADMITTED,
    args: {
      epoch: EPOCH,
      nowMs: NOW,
      node: 'node-a',
      idleBeat: '',
      stepsAtMost: 10,
      agedStepsAtMost: 10,
      sampledStepsAtMost: 10,
      controller: '',
      ratePerSecond: '',
    },
  },
  {
    'makes the first node that ticks the leader': {
      reply: leader(),
      changes: { sale: LED },
      again: leader(),
      changesAgain: SECOND_BEAT,
    },
    'renews the lease of the leader without a new fence': {
      given: { sale: leaseOf('node-a', 70, 5) },
      reply: leader({ fence: 5 }),
      changes: { sale: leaseOf('node-a', 71, 5) },
    },
    'makes others follow, whatever time it is for them': {
      args: { nowMs: NOW + 3_600_000 },
      given: { sale: leaseOf('node-b', 70, 5) },
      reply: { status: 'follower', leaseBeat: 70 },
      again: { status: 'follower', leaseBeat: 70 },
    },
    'makes others follow when the leader has ticked since their last look': {
      args: { idleBeat: 70 },
      given: { sale: leaseOf('node-b', 71, 5) },
      reply: { status: 'follower', leaseBeat: 71 },
    },
    'lets a node take over whose idle beat is still the last, with a new fence': {
      args: { idleBeat: 70 },
      given: { sale: leaseOf('node-b', 70, 5) },
      reply: leader({ fence: 6 }),
      changes: { sale: leaseOf('node-a', 71, 6) },
    },
    'lets one of two nodes take over that have seen the same idle beat': {
      args: { idleBeat: 70 },
      given: { sale: leaseOf('node-c', 71, 6) },
      reply: { status: 'follower', leaseBeat: 71 },
    },
    'counts from 0 for a sale without beats, as an earlier version has left it': {
      args: { idleBeat: 0 },
      given: { sale: { ...leaseOf('node-b', 0, 5), leaseBeat: null } },
      reply: leader({ fence: 6 }),
      changes: { sale: leaseOf('node-a', 1, 6) },
    },
    'opens the sale exactly at its opening, once': {
      args: { nowMs: OPENS },
      given: { sale: { phase: 'scheduled' } },
      reply: leader({
        ...{ windowMs: OPENS, phase: 'open', phaseBefore: 'scheduled', phaseSeq: 5, pendingByAge: pendingAt(1, 2) },
      }),
      changes: { sale: { ...LED, phase: 'open', phaseSeq: 5 } },
      again: leader({ windowMs: OPENS, phaseSeq: 5, pendingByAge: pendingAt(1, 2) }),
      changesAgain: SECOND_BEAT,
    },
    'opens nothing a millisecond early': {
      args: { nowMs: OPENS - 1 },
      given: { sale: { phase: 'scheduled' } },
      reply: leader({
        ...{ windowMs: OPENS - 1, phase: 'scheduled', phaseBefore: 'scheduled', pendingByAge: pendingAt(1, 2) },
      }),
      changes: { sale: LED },
    },
    'closes a paused sale exactly at its closing': {
      args: { nowMs: CLOSES },
      given: { sale: { phase: 'paused', expiredThrough: 2, pending: 0 }, steps: null, remaining: null },
      reply: leader({
        ...{ windowMs: CLOSES, phase: 'closed', phaseBefore: 'paused', phaseSeq: 5, pending: 0, pendingByAge: NOBODY },
      }),
      changes: { sale: { ...LED, phase: 'closed', phaseSeq: 5 } },
    },
    'frees the slots of a step exactly when its window ends': {
      args: { nowMs: WINDOW_ENDS },
      given: { departed: { 1: 1, 3: 3 } },
      reply: leader({ windowMs: WINDOW_ENDS, pending: 0, freed: 2, pendingByAge: NOBODY }),
      changes: {
        sale: { ...LED, pending: 0, expiredThrough: 2 },
        steps: null,
        remaining: null,
        departed: { 1: null },
      },
      again: leader({ windowMs: WINDOW_ENDS, pending: 0, pendingByAge: NOBODY }),
      changesAgain: SECOND_BEAT,
    },
    'frees nothing a millisecond before the window ends': {
      args: { nowMs: WINDOW_ENDS - 1 },
      reply: leader({ windowMs: WINDOW_ENDS - 1, pendingByAge: pendingAt(7, 2) }),
      changes: { sale: LED },
    },
    'frees no slot of a buyer who holds': {
      from: ONE_HOLDS,
      args: { nowMs: WINDOW_ENDS },
      reply: leader({ windowMs: WINDOW_ENDS, available: 8, inside: 1, pending: 0, freed: 1, pendingByAge: NOBODY }),
      changes: {
        sale: { ...LED, pending: 0, expiredThrough: 2 },
        steps: null,
        remaining: null,
      },
    },
    'closes at most as many windows as it is asked to, oldest first': {
      args: { nowMs: WINDOW_ENDS, stepsAtMost: 1 },
      given: { sale: { serving: 3, pending: 3 }, steps: { [`3:${NOW - 10_000}`]: 3 }, remaining: { 3: 1 } },
      reply: leader({ windowMs: WINDOW_ENDS, servingNumber: 3, pending: 1, freed: 2, pendingByAge: pendingAt(7, 1) }),
      changes: {
        sale: { ...LED, pending: 1, expiredThrough: 2 },
        steps: { [`2:${NOW - 10_000}`]: null },
        remaining: { 2: null },
      },
    },
    'leaves newer windows open': {
      args: { nowMs: WINDOW_ENDS },
      given: { sale: { serving: 3, pending: 3 }, steps: { [`3:${NOW - 9_999}`]: 3 }, remaining: { 3: 1 } },
      reply: leader({ windowMs: WINDOW_ENDS, servingNumber: 3, pending: 1, freed: 2, pendingByAge: pendingAt(7, 1) }),
      changes: {
        sale: { ...LED, pending: 1, expiredThrough: 2 },
        steps: { [`2:${NOW - 10_000}`]: null },
        remaining: { 2: null },
      },
    },
    'counts who is pending by the age of the admission, and who came': {
      given: {
        sale: { pending: 12, 'shows:1': 40, 'shows:5': 2 },
        steps: { [`3:${NOW - 999}`]: 3, [`4:${NOW - 1_000}`]: 4, [`5:${NOW}`]: 5 },
        remaining: { 3: 4, 4: 5, 5: 1 },
      },
      reply: leader({
        pending: 12,
        showsByAge: NOBODY.with(0, 40).with(4, 2),
        pendingByAge: [5, 5, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
      }),
      changes: { sale: LED },
    },
    'takes a sample of the older steps for all of them': {
      args: { agedStepsAtMost: 1, sampledStepsAtMost: 2 },
      given: {
        sale: { pending: 34 },
        // The second and the fourth are the sample.
        steps: {
          [`2:${NOW - 10_000}`]: null,
          ...{ [`1:${NOW - 50_000}`]: 1, [`2:${NOW - 40_000}`]: 2, [`3:${NOW - 25_000}`]: 3, [`4:${NOW - 10_000}`]: 4 },
          [`5:${NOW}`]: 5,
        },
        remaining: { 1: 9, 2: 8, 3: 7, 4: 6, 5: 4 },
      },
      // 30 who are older, as 8 to 6.
      reply: leader({ pending: 34, pendingByAge: NOBODY.with(0, 4).with(6, 17).with(4, 13) }),
      changes: { sale: LED },
    },
    'counts older ones with the oldest of the sample when that has nobody left': {
      args: { agedStepsAtMost: 1, sampledStepsAtMost: 1 },
      given: {
        sale: { pending: 6 },
        steps: { [`1:${NOW - 40_000}`]: 1, [`3:${NOW}`]: 3 },
        remaining: { 1: 2, 2: 0, 3: 4 },
      },
      reply: leader({ pending: 6, pendingByAge: NOBODY.with(0, 4).with(4, 2) }),
      changes: { sale: LED },
    },
    'counts older ones with the oldest it looks at without a sample': {
      args: { agedStepsAtMost: 1, sampledStepsAtMost: 0 },
      given: { sale: { pending: 6 }, steps: { [`3:${NOW}`]: 3 }, remaining: { 3: 4 } },
      reply: leader({ pending: 6, pendingByAge: pendingAt(1, 6) }),
      changes: { sale: LED },
    },
    'tells everybody what rate the leader’s controller allows': {
      args: { ratePerSecond: 40 },
      given: { sale: { ratePerSecond: 30 } },
      reply: leader(),
      changes: { sale: { ...LED, ratePerSecond: 40 } },
    },
    'leaves the rate as it is before anything was decided': {
      given: { sale: { ratePerSecond: 30 } },
      reply: leader(),
      changes: { sale: LED },
    },
    'keeps what the leader’s controller remembers': {
      args: { controller: 'new' },
      given: { sale: { controller: 'old' } },
      reply: leader({ controller: 'new' }),
      changes: { sale: { ...LED, controller: 'new' } },
    },
    'tells a leader without a memory what the one before remembered': {
      given: { sale: { ...leaseOf('node-a', 70, 5), controller: 'old' } },
      reply: leader({ fence: 5, controller: 'old' }),
      changes: { sale: leaseOf('node-a', 71, 5) },
    },
    'lets no window run out while the sale is paused': {
      args: { nowMs: WINDOW_ENDS + 3_600_000 },
      given: { sale: { phase: 'paused', windowsStoppedAtMs: NOW } },
      reply: leader({ phase: 'paused', phaseBefore: 'paused' }),
      changes: { sale: LED },
    },
    'lets the windows go on from where they stood still': {
      args: { nowMs: NOW + 7_000 },
      given: { sale: { windowsStoppedMs: 500, windowsStoppedAtMs: NOW } },
      reply: leader({ windowMs: NOW - 500 }),
      changes: { sale: { ...LED, windowsStoppedMs: 7_500, windowsStoppedAtMs: 0 } },
    },
    'lets them stand still while all places are taken': {
      args: { nowMs: NOW + 7_000 },
      given: { sale: { inside: 3, windowsStoppedAtMs: NOW } },
      reply: leader({ inside: 3 }),
      changes: { sale: LED },
    },
    'frees the slots of a sale that closes while it is paused': {
      args: { nowMs: CLOSES },
      given: { sale: { phase: 'paused', windowsStoppedAtMs: NOW } },
      reply: leader({ phase: 'closed', phaseBefore: 'paused', phaseSeq: 5 }),
      changes: {
        sale: { ...LED, phase: 'closed', phaseSeq: 5, windowsStoppedMs: CLOSES - NOW, windowsStoppedAtMs: 0 },
      },
    },
    ...lostRows<'epoch'>(),
  },
);

/** Numbers 3 … 6 wait; one buyer is pending, and at most three may be. */
const FOUR_WAIT = patched(TWO_ADMITTED, {
  sale: { drawn: 6, pending: 1, ...leaseOf('node-a', 70, 5) },
  remaining: { 2: 1 },
});
const advanced = (servingNumber: number, admitted: number) =>
  ({ status: 'advanced', servingNumber, admitted }) as const;
const refused = (status: 'stale' | 'refused', servingNumber = 2) => ({ status, servingNumber, admitted: 0 }) as const;
const admits = (serving: number, admitted: number): StatePatch => ({
  sale: { serving, pending: 1 + admitted, seq: 101 },
  steps: { [`${serving}:${NOW}`]: serving },
  remaining: { [serving]: admitted },
});

export const advanceServingTable = table(
  advanceServingScript,
  {
    state: FOUR_WAIT,
    args: {
      epoch: EPOCH,
      nowMs: NOW,
      node: 'node-a',
      fence: 5,
      expectedServing: 2,
      admit: 2,
      ghostsAtMost: 9,
      pendingAtMost: 3,
    },
  },
  {
    'admits up to the new serving number, once': {
      reply: advanced(4, 2),
      changes: admits(4, 2),
      again: refused('stale', 4),
    },
    'replies stale to an older fence': { args: { fence: 4 }, reply: refused('stale') },
    'replies stale to a node that does not lead': { args: { node: 'node-b' }, reply: refused('stale') },
    'replies stale when the serving number is another than expected': {
      args: { expectedServing: 1 },
      reply: refused('stale'),
    },
    'admits up to the last number drawn': {
      args: { admit: 4, pendingAtMost: 5 },
      reply: advanced(6, 4),
      changes: admits(6, 4),
    },
    'never passes the last number drawn': {
      args: { admit: 7, pendingAtMost: 9 },
      reply: advanced(6, 4),
      changes: admits(6, 4),
    },
    'refuses when everybody who was drawn is admitted': {
      given: { sale: { drawn: 2 } },
      reply: refused('refused'),
    },
    'refuses more than were decided for': { args: { admit: 3 }, reply: refused('refused') },
    'admits more than there are places: not all come': {
      given: { sale: { inside: 2 } },
      reply: advanced(4, 2),
      changes: admits(4, 2),
    },
    'admits nobody while all places are taken': { given: { sale: { inside: 3 } }, reply: refused('refused') },
    'passes over departed numbers while all places are taken': {
      given: { sale: { inside: 3, drawn: 4 }, departed: { 3: 3, 4: 4 } },
      reply: advanced(4, 0),
      changes: { sale: { serving: 4, seq: 101 }, departed: null },
    },
    'admits nobody to a sale that was paused since the tick': {
      given: { sale: { phase: 'paused' } },
      reply: refused('refused'),
    },
    'writes the step in the time of the windows': {
      given: { sale: { windowsStoppedMs: 300_000 } },
      reply: advanced(4, 2),
      changes: { ...admits(4, 2), steps: { [`4:${NOW - 300_000}`]: 4 } },
    },
    'leaves those who came for nothing alone': {
      given: { departed: { 1: 1 } },
      reply: advanced(4, 2),
      changes: admits(4, 2),
    },
    'refuses to admit nobody': { args: { admit: 0 }, reply: refused('refused') },
    'refuses to go back': { args: { admit: -1 }, reply: refused('refused') },
    'passes over numbers whose buyers left, without a slot and without taking anybody’s turn': {
      given: { departed: { 3: 3, 6: 6 } },
      reply: advanced(5, 2),
      changes: { ...admits(5, 2), departed: { 3: null } },
    },
    'stops at the last person it admits': {
      given: { departed: { 3: 3, 5: 5 } },
      args: { admit: 1 },
      reply: advanced(4, 1),
      changes: { ...admits(4, 1), departed: { 3: null } },
    },
    'passes over so many departed numbers at most, and leaves no step when it admits nobody': {
      given: { departed: { 3: 3, 4: 4, 5: 5 } },
      args: { admit: 1, ghostsAtMost: 1 },
      reply: advanced(4, 0),
      changes: { sale: { serving: 4, seq: 101 }, departed: { 3: null, 4: null } },
    },
    'passes over departed numbers only': {
      given: { departed: { 3: 3, 4: 4, 5: 5, 6: 6 } },
      reply: advanced(6, 0),
      changes: { sale: { serving: 6, seq: 101 }, departed: null },
    },
    ...lostRows<'epoch'>(),
  },
);

export const releaseLeaseTable = table(
  releaseLeaseScript,
  { state: FOUR_WAIT, args: { epoch: EPOCH, node: 'node-a', fence: 5, controller: 'new' } },
  {
    'makes room for another leader, and leaves it what was remembered': {
      given: { sale: { controller: 'old' } },
      reply: { status: 'released' },
      changes: { sale: { leaseHolder: '', controller: 'new' } },
      again: { status: 'notHeld' },
    },
    'leaves the lease of another node alone': { args: { node: 'node-b' }, reply: { status: 'notHeld' } },
    'leaves a lease alone that the node got again since': { args: { fence: 4 }, reply: { status: 'notHeld' } },
    ...lostRows<'epoch'>(),
  },
);
