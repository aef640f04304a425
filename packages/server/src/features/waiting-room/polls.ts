/** What a poll is answered: from memory, without waiting for anything. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { toTimeText } from '../../contract/json-time.ts';
import type { QueuePosition } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { ProblemError } from '../../platform/problem.ts';
import { privateJson, type ReadyAnswer } from '../../platform/ready-answer.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { queuePositionText } from './poll-answer.ts';
import { PollPace } from './poll-pace.ts';
import type { QueueTokens } from './queue-token.ts';
import { checkQueueToken } from './queue-token-header.ts';
import { etaSeconds, pollAfterMs, turnOf, type WaitingRoom } from './waiting-room.ts';

export interface Polls {
  /** 200, or why not: 401, 410, 503 as `checkQueueToken` says; 410 once the turn has passed; 429 for who asks too often. */
  answer(sale: LiveSale, headers: IncomingHttpHeaders): ReadyAnswer | ProblemError;
}

const PASSED = new ProblemError(
  'admission_expired',
  'Your turn came and its time ran out. Join again to get a new number.',
);

export function createPolls({
  clock,
  queueTokens,
}: {
  readonly clock: Clock;
  readonly queueTokens: QueueTokens;
}): Polls {
  const pace = new PollPace({ keys: [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()] });
  const tooOften = createTooOften();
  return {
    answer(sale, headers) {
      const claims = checkQueueToken(headers, queueTokens, sale);
      if (claims instanceof ProblemError) return claims;
      const nowMs = clock.nowMs();
      const position = positionOf(sale, claims.number, nowMs);
      if (position === undefined) return PASSED;
      const { pollAfterMs } = position;
      if (!pace.allows(sale.saleId, claims.number, pollAfterMs, nowMs)) return tooOften(pollAfterMs);
      return privateJson(queuePositionText(position));
    },
  };
}

/** Made once for each interval: a refusal costs no more than an answer. There are a few hundred intervals. */
function createTooOften(): (pollAfterMs: number) => ProblemError {
  const known = new Map<number, ProblemError>();
  return (retryAfterMs) => {
    let problem = known.get(retryAfterMs);
    if (problem === undefined) {
      const detail = 'You ask much more often than `pollAfterMs` says. Your place in the line is safe.';
      problem = new ProblemError('rate_limited', detail, { retryAfterMs });
      if (known.size >= LIMITS.pollAfterMsMax / 10) known.clear();
      known.set(retryAfterMs, problem);
    }
    return problem;
  };
}

export function roomOf(sale: LiveSale): WaitingRoom {
  const { servingNumber, expiredThrough, admissionMs, perSecond } = sale.snapshot;
  return { phase: sale.phase, servingNumber, expiredThrough, admissionMs, perSecond, steps: sale.steps };
}

/** What the holder of a number is told; undefined once the turn has passed. */
function positionOf(sale: LiveSale, number: number, nowMs: number): QueuePosition | undefined {
  const room = roomOf(sale);
  const turn = turnOf(room, number, nowMs);
  if (turn.kind === 'passed') return undefined;
  const { phase } = room;
  if (turn.kind === 'admitted') {
    const admittedUntil = toTimeText(turn.untilMs);
    const pollAfterMs = LIMITS.pollAfterMsMin;
    return { number, position: 0, admitted: true, admittedUntil, etaSeconds: 0, pollAfterMs, phase };
  }
  const { position } = turn;
  const eta = etaSeconds(position, sale.outflowPerSecond, room);
  return { number, position, admitted: false, etaSeconds: eta, pollAfterMs: pollAfterMs(eta, room), phase };
}
