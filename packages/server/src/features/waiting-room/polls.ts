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
import { estimateWait, type Flow, flowOf } from './wait-estimate.ts';
import { pollAfterMs, turnOf, type WaitingRoom } from './waiting-room.ts';

export interface Polls {
  /** What estimates in this state of the sale have in common; reckoned once for each state. */
  flow(sale: LiveSale): Flow;
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
  /** Called once for each state of a sale that somebody asks about. */
  readonly onState: (sale: LiveSale) => void;
}

export function createPolls({ clock, queueTokens, onState }: PollsOptions): Polls {
  const pace = new PollPace({ keys: newHashKeys() });
  const tooOften = createRateLimited(
    'You ask much more often than `pollAfterMs` says. Your place in the line is safe.',
  );
  const flows = new WeakMap<LiveSale, Flow>();
  function flow(sale: LiveSale): Flow {
    const known = flows.get(sale);
    if (known !== undefined) return known;
    const reckoned = flowOf(sale);
    flows.set(sale, reckoned);
    onState(sale);
    return reckoned;
  }
  return {
    flow,
    answer(sale, headers) {
      const claims = checkQueueToken(headers, queueTokens, sale);
      if (claims instanceof ProblemError) return claims;
      const nowMs = clock.nowMs();
      const position = positionOf(sale, flow(sale), claims.number, nowMs);
      if (position === undefined) return PASSED;
      const { pollAfterMs } = position;
      if (!pace.allows(sale.saleId, claims.number, pollAfterMs, nowMs)) return tooOften(pollAfterMs);
      return privateJson(queuePositionText(position));
    },
  };
}

function roomOf(sale: LiveSale): WaitingRoom {
  const { servingNumber, expiredThrough, admissionMs } = sale.snapshot;
  return { phase: sale.phase, servingNumber, expiredThrough, admissionMs, steps: sale.steps };
}

/** What the holder of a number is told; undefined once the turn has passed. */
function positionOf(sale: LiveSale, flow: Flow, number: number, nowMs: number): QueuePosition | undefined {
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
  const { etaSeconds, etaSecondsMax } = estimateWait(position, flow);
  return {
    number,
    position,
    admitted: false,
    etaSeconds,
    etaSecondsMax,
    pollAfterMs: pollAfterMs(etaSeconds, room),
    phase,
  };
}
