/** Past the line: queue tokens that are none, are somebody else's or another sale's; numbers and polls beyond one's share. */
import { IDEMPOTENCY_KEY_HEADER, pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import { QUEUE_TOKEN_LAYOUT } from '@fest/server/contract/queue-token-layout';
import type { QueueTicket } from '@fest/server/contract/schemas';
import type { Attack } from '../../bench/attacks.ts';
import { type FloodPace, floodOf, JOIN_PACE, mostAnswered, POLL_PACE } from '../../bench/flood-pace.ts';
import { asTold } from '../../bench/poll-pause.ts';
import { join } from '../flows/join.ts';
import { waitForTurn } from '../flows/wait.ts';
import { plan } from '../plan.ts';
import type { Visitor } from '../visitor.ts';
import { buy, getIn, type Pair } from './accomplices.ts';
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

/** A character stands for three quarters of a byte. */
const CHARACTERS_PER_BYTE = 4 / 3;

/** One character of what it says, and one of its signature. */
export function alteredQueueToken(pair: Pair): void {
  const { queueToken } = getIn(pair.attacker);
  const { accountId, tag } = QUEUE_TOKEN_LAYOUT;
  const places = [accountId, tag].map(({ at, bytes }) => Math.ceil((at + bytes / 2) * CHARACTERS_PER_BYTE));
  const tokens = places.map((place) => altered(queueToken, place));
  pollAndHoldWith('alteredQueueToken', pair, tokens);
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

/** Waiting, and when admitted; with and without a key: whoever joins again keeps the number. */
export function doubleJoin({ attacker }: Pair): void {
  const place = join(attacker);
  joinAgain(attacker, place.number);
  waitForTurn(attacker, place, asTold);
  joinAgain(attacker, place.number);
}

function joinAgain(attacker: Visitor, number: number): void {
  const key = { [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
  for (const more of [{}, key, key]) {
    strike<QueueTicket>('doubleJoin', attacker, {
      request: { method: 'POST', path: QUEUE, headers: { ...attacker.authorized(), ...more } },
      refusals: [],
      succeeds: (answer) => answer.body().number !== number,
    });
  }
}

/** One admission is one order: not after it was bought with, nor after it was given up. */
export function usedQueueToken({ attacker, victim }: Pair): void {
  const { place } = buy(attacker);
  holdAgain(attacker, place.queueToken);
  const given = getIn(victim);
  const headers = victim.authorized(given.queueToken);
  const left = victim.ask({ endpoint: 'leave', method: 'DELETE', path: QUEUE, headers });
  if (left.ok) holdAgain(victim, given.queueToken);
}

function holdAgain(attacker: Visitor, queueToken: string): void {
  const headers = { ...attacker.authorized(queueToken), [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
  strike('usedQueueToken', attacker, {
    request: { method: 'POST', path: HOLDS, headers, body: ONE },
    refusals: ['admission_expired'],
  });
}

export function joinFlood({ attacker }: Pair): void {
  flood('joinFlood', attacker, { method: 'POST', path: QUEUE, headers: attacker.authorized() }, JOIN_PACE);
}

export function pollFlood({ attacker }: Pair): void {
  const { queueToken } = join(attacker);
  flood(
    'pollFlood',
    attacker,
    { method: 'GET', path: QUEUE, headers: { [QUEUE_TOKEN_HEADER]: queueToken } },
    POLL_PACE,
  );
}

type FloodRequest = { method: 'GET' | 'POST'; path: string; headers: Record<string, string> };

/**
 * One after the other over one connection, and so to one process: each process of a server keeps the pace by itself, and how
 * many there are is not known here.
 */
function flood(attack: Attack, attacker: Visitor, request: FloodRequest, pace: FloodPace): void {
  const requests = floodOf(pace);
  const beganMs = Date.now();
  let answered = 0;
  for (let time = 0; time < requests; time += 1) {
    if (strike(attack, attacker, { request, refusals: ['rate_limited'], succeeds: () => false }).ok) answered += 1;
  }
  const elapsedMs = Date.now() - beganMs;
  if (answered > mostAnswered(pace, elapsedMs)) {
    succeed(attack, `${answered} of ${requests} requests within ${elapsedMs} ms were answered`);
  }
}
