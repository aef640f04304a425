/** Moving the serving number: one server at a time, by its lease. */
import type { AdmissionMode, StoredPhase } from '../../contract/words.ts';
import { defineScript } from '../define-script.ts';
import { asNumber, asNumbers, lostOr } from './replies.ts';

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
