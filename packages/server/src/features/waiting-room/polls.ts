/** What a poll is answered: from memory, without waiting for anything. */
import type { IncomingHttpHeaders } from 'node:http';
import { toTimeText } from '../../contract/json-time.ts';
import type { QueuePosition } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { ProblemError } from '../../platform/problem.ts';
import { privateJson, type ReadyAnswer } from '../../platform/ready-answer.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { queuePositionText } from './poll-answer.ts';
import type { QueueTokens } from './queue-token.ts';
import { checkQueueToken } from './queue-token-header.ts';
import { etaSeconds, pollAfterMs, turnOf, type WaitingRoom } from './waiting-room.ts';

export interface Polls {
  /** 200, or why not: 401, 410, 503 as `checkQueueToken` says; 410 once the turn has passed. */
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
  return {
    answer(sale, headers) {
      const claims = checkQueueToken(headers, queueTokens, sale);
      if (claims instanceof ProblemError) return claims;
      const position = positionOf(sale, claims.number, clock.nowMs());
      return position === undefined ? PASSED : privateJson(queuePositionText(position));
    },
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
