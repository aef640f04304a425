/** Numbers in the line of a sale. */
import type { StoredPhase } from '../../contract/words.ts';
import { defineScript } from '../define-script.ts';
import { asNumber, lostOr } from './replies.ts';

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
