/** Tickets reserved for a buyer. */
import type { HoldStatus } from '../../contract/words.ts';
import { defineScript, type ScriptReply } from '../define-script.ts';
import { asNumber, asNumbers, lostOr } from './replies.ts';

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
