/** What a poll is answered: from memory, without waiting for anything. */
import type { IncomingHttpHeaders } from 'node:http';
import { toTimeText } from '../../contract/json-time.ts';
import type { QueuePosition } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { newHashKeys } from '../../platform/gcra-table.ts';
import { ProblemError } from '../../platform/problem.ts';
import { createRateLimited } from '../../platform/rate-limited.ts';
import { privateJson, type ReadyAnswer } from '../../platform/ready-answer.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { queuePositionText } from './poll-answer.ts';
import { PollPace } from './poll-pace.ts';
import type { QueueTokens } from './queue-token.ts';
import { checkQueueToken } from './queue-token-header.ts';
import { estimateWait, type Flow, flowOf, secondsToAskWithin, type WaitEstimate } from './wait-estimate.ts';
import { pollAfterMs, turnOf, type WaitingRoom } from './waiting-room.ts';

/** How long it will take, and when to ask again. */
export interface Wait extends WaitEstimate {
  readonly pollAfterMs: number;
}

export interface Polls {
  /** @param position 0 when admitted */
  wait(sale: LiveSale, position: number, nowMs: number): Wait;
  /** 200, or why not: 401, 410, 503 as `checkQueueToken` says; 410 once the turn has passed; 429 for who asks too often. */
  answer(sale: LiveSale, headers: IncomingHttpHeaders): ReadyAnswer | ProblemError;
}

const PASSED = new ProblemError(
  'admission_expired',
  'Your turn came and its time ran out. Join again to get a new number.',
);

export interface PollsOptions {
  readonly clock: Clock;
  readonly queueTokens: QueueTokens;
}

export function createPolls({ clock, queueTokens }: PollsOptions): Polls {
  const pace = new PollPace({ keys: newHashKeys() });
  const tooOften = createRateLimited(
    'You ask much more often than `pollAfterMs` says. Your place in the line is safe.',
  );
  /** What estimates in one state of a sale have in common; reckoned once for each. */
  const flows = new WeakMap<LiveSale, Flow>();
  function flowIn(sale: LiveSale): Flow {
    const known = flows.get(sale);
    if (known !== undefined) return known;
    const reckoned = flowOf(sale);
    flows.set(sale, reckoned);
    return reckoned;
  }
  function wait(sale: LiveSale, position: number, nowMs: number): Wait {
    const flow = flowIn(sale);
    const estimate = estimateWait(position, flow, nowMs);
    const seconds = secondsToAskWithin(position, estimate, flow, nowMs);
    const { etaSeconds, etaSecondsMax } = estimate;
    return { etaSeconds, etaSecondsMax, pollAfterMs: pollAfterMs(seconds, position, sale.snapshot) };
  }
  return {
    wait,
    answer(sale, headers) {
      const claims = checkQueueToken(headers, queueTokens, sale);
      if (claims instanceof ProblemError) return claims;
      const nowMs = clock.nowMs();
      const position = positionOf(sale, wait, claims.number, nowMs);
      if (position === undefined) return PASSED;
      const { pollAfterMs } = position;
      // By account: who left and joined again has several tokens that are genuine.
      if (!pace.allows(sale.saleId, claims.accountId, pollAfterMs, nowMs)) return tooOften(pollAfterMs);
      return privateJson(queuePositionText(position));
    },
  };
}

function roomOf(sale: LiveSale): WaitingRoom {
  const { servingNumber, expiredThrough, admissionMs } = sale.snapshot;
  return { phase: sale.phase, servingNumber, expiredThrough, admissionMs, steps: sale.steps };
}

/** What the holder of a number is told; undefined once the turn has passed. */
function positionOf(sale: LiveSale, wait: Polls['wait'], number: number, nowMs: number): QueuePosition | undefined {
  const room = roomOf(sale);
  const turn = turnOf(room, number, nowMs);
  if (turn.kind === 'passed') return undefined;
  const { phase } = room;
  if (turn.kind === 'admitted') {
    const admittedUntil = toTimeText(turn.untilMs);
    const pollAfterMs = LIMITS.pollAfterMsMin;
    return { number, position: 0, admitted: true, admittedUntil, etaSeconds: 0, etaSecondsMax: 0, pollAfterMs, phase };
  }
  const { position } = turn;
  const { etaSeconds, etaSecondsMax, pollAfterMs } = wait(sale, position, nowMs);
  return { number, position, admitted: false, etaSeconds, etaSecondsMax, pollAfterMs, phase };
}
