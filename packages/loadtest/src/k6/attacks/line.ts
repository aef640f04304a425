/** Past the line: queue tokens that are none, are somebody else's or another sale's; numbers and polls beyond one's share. */
import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Problem } from '@fest/server/contract/problems';
import type { QueueTicket } from '@fest/server/contract/schemas';
import type { Attack } from '../../bench/attacks.ts';
import { join } from '../flows/join.ts';
import { plan } from '../plan.ts';
import { getIn, type Pair } from './accomplices.ts';
import { altered, garbage, withFirstNumber } from './forgery.ts';
import { strike, succeed } from './strike.ts';

const QUEUE = pathOf('saleQueue', { saleId: plan.saleId });
const HOLDS = pathOf('saleHolds', { saleId: plan.saleId });
const ONE = { quantity: 1 };

function pollAndHoldWith(attack: Attack, { attacker }: Pair, queueTokens: readonly string[]): void {
  for (const queueToken of queueTokens) {
    strike(attack, attacker, {
      request: { method: 'GET', path: QUEUE, headers: { [QUEUE_TOKEN_HEADER]: queueToken } },
      refusals: ['bad_queue_token'],
    });
    holdWith(attack, { attacker }, queueToken);
  }
}

function holdWith(attack: Attack, { attacker }: Pick<Pair, 'attacker'>, queueToken: string | undefined): void {
  strike(attack, attacker, {
    request: { method: 'POST', path: HOLDS, headers: attacker.authorized(queueToken), body: ONE },
    refusals: ['bad_queue_token'],
  });
}

export function garbageQueueToken(pair: Pair): void {
  const { random } = pair.attacker;
  pollAndHoldWith('garbageQueueToken', pair, [garbage(50, random), garbage(64, random), 'null']);
}

/** One character of what it says, and one of its signature. */
export function alteredQueueToken(pair: Pair): void {
  const { queueToken } = getIn(pair.attacker);
  pollAndHoldWith('alteredQueueToken', pair, [altered(queueToken, 8), altered(queueToken, 40)]);
}

export function forgedNumber(pair: Pair): void {
  const { queueToken } = join(pair.attacker);
  pollAndHoldWith('forgedNumber', pair, [withFirstNumber(queueToken)]);
}

export function foreignQueueToken(pair: Pair): void {
  const { queueToken } = getIn(pair.victim);
  holdWith('foreignQueueToken', pair, queueToken);
}

export function foreignPlace({ attacker, victim }: Pair): void {
  const place = join(victim);
  strike('foreignPlace', attacker, {
    request: { method: 'DELETE', path: QUEUE, headers: attacker.authorized(place.queueToken) },
    refusals: ['bad_queue_token'],
  });
  if (join(victim).number !== place.number) succeed('foreignPlace', `the number ${place.number} is gone`);
}

/** Of the other sale in this one, and the other way round: in the other one nobody is ever admitted. */
export function crossSaleToken(pair: Pair): void {
  const { attacker } = pair;
  const other = join(attacker, plan.otherSaleId);
  pollAndHoldWith('crossSaleToken', pair, [other.queueToken]);
  const { queueToken } = getIn(attacker);
  strike('crossSaleToken', attacker, {
    request: {
      method: 'POST',
      path: pathOf('saleHolds', { saleId: plan.otherSaleId }),
      headers: attacker.authorized(queueToken),
      body: ONE,
    },
    refusals: ['bad_queue_token'],
  });
}

export function noQueueToken(pair: Pair): void {
  getIn(pair.attacker);
  holdWith('noQueueToken', pair, undefined);
}

/** In the sale that admits nobody. */
export function notAdmitted({ attacker }: Pair): void {
  const { queueToken } = join(attacker, plan.otherSaleId);
  strike('notAdmitted', attacker, {
    request: {
      method: 'POST',
      path: pathOf('saleHolds', { saleId: plan.otherSaleId }),
      headers: attacker.authorized(queueToken),
      body: ONE,
    },
    refusals: ['not_admitted'],
  });
}

/** With and without a key: whoever joins again while waiting, or while admitted, keeps the number. */
export function doubleJoin({ attacker }: Pair): void {
  const { number } = join(attacker);
  for (let time = 0; time < 3; time += 1) {
    strike<QueueTicket>('doubleJoin', attacker, {
      request: { method: 'POST', path: QUEUE, headers: attacker.authorized() },
      refusals: [],
      succeeds: (answer) => answer.body().number !== number,
    });
  }
}

const FLOOD = 30;
/** Twenty joins at once are allowed, and one more a second; ten polls, and four more in an interval. */
const JOINS_MAX = 25;
const POLLS_MAX = 16;

export function joinFlood({ attacker }: Pair): void {
  const answered = flood('joinFlood', { attacker }, { method: 'POST', path: QUEUE, headers: attacker.authorized() });
  if (answered > JOINS_MAX) succeed('joinFlood', `${answered} of ${FLOOD} joins were answered`);
}

export function pollFlood({ attacker }: Pair): void {
  const { queueToken } = join(attacker);
  const headers = { [QUEUE_TOKEN_HEADER]: queueToken };
  const answered = flood('pollFlood', { attacker }, { method: 'GET', path: QUEUE, headers });
  if (answered > POLLS_MAX) succeed('pollFlood', `${answered} of ${FLOOD} polls were answered`);
}

type FloodRequest = { method: 'GET' | 'POST'; path: string; headers: Record<string, string> };

/** How many were answered. */
function flood(attack: Attack, { attacker }: Pick<Pair, 'attacker'>, request: FloodRequest): number {
  let answered = 0;
  for (let time = 0; time < FLOOD; time += 1) {
    const { ok } = strike<Problem>(attack, attacker, { request, refusals: [], succeeds: () => false });
    if (ok) answered += 1;
  }
  return answered;
}
