/** More tickets than one's share, and tickets of others. */
import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Hold } from '@fest/server/contract/schemas';
import { CATALOGUE_LIMITS as LIMITS } from '@fest/server/limits/catalogue';
import { plan } from '../plan.ts';
import { buy, getHold, getIn, type Pair } from './accomplices.ts';
import { type Strike, strike, strikeAtOnce, succeed } from './strike.ts';

const HOLDS = pathOf('saleHolds', { saleId: plan.saleId });

/** Whoever holds again gets the same hold, whatever the quantity. */
export function secondHold({ attacker }: Pair): void {
  const { place, held } = getHold(attacker);
  for (const quantity of [1, plan.limitPerBuyer]) {
    const headers = { ...attacker.authorized(place.queueToken), [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
    strike<Hold>('secondHold', attacker, {
      request: { method: 'POST', path: HOLDS, headers, body: { quantity } },
      refusals: [],
      succeeds: (answer) => isAnother(answer.body(), held),
    });
  }
}

const AT_ONCE = 6;

/** In the same moment, over several connections, each as much as one may have. */
export function parallelHolds({ attacker }: Pair): void {
  const { queueToken } = getIn(attacker);
  const aims = Array.from({ length: AT_ONCE }, (): Strike<Hold> => {
    const headers = { ...attacker.authorized(queueToken), [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
    const body = { quantity: plan.limitPerBuyer };
    return { request: { method: 'POST', path: HOLDS, headers, body }, refusals: [], succeeds: () => false };
  });
  const holds = strikeAtOnce('parallelHolds', attacker, aims).flatMap((answer) => (answer.ok ? [answer.body()] : []));
  const [holdIds, tickets] = [
    new Set(holds.map(({ holdId }) => holdId)),
    new Set(holds.flatMap(({ ticketNumbers }) => ticketNumbers)),
  ];
  if (holdIds.size > 1 || tickets.size > plan.limitPerBuyer) {
    succeed('parallelHolds', `one admission has ${holdIds.size} holds of ${tickets.size} tickets`);
  }
}

export function hoarding({ attacker }: Pair): void {
  const { queueToken } = getIn(attacker);
  // From the third on they are nothing that the contract lets anybody ask for.
  for (const quantity of [plan.limitPerBuyer + 1, LIMITS.ticketsPerBuyer, LIMITS.ticketsPerBuyer + 1, -1, 0.5]) {
    strike('hoarding', attacker, {
      request: { method: 'POST', path: HOLDS, headers: attacker.authorized(queueToken), body: { quantity } },
      refusals: ['limit_reached', 'validation_failed'],
    });
  }
}

export function beyondLimit({ attacker }: Pair): void {
  buy(attacker, plan.limitPerBuyer);
  const { queueToken } = getIn(attacker);
  strike('beyondLimit', attacker, {
    request: { method: 'POST', path: HOLDS, headers: attacker.authorized(queueToken), body: { quantity: 1 } },
    refusals: ['limit_reached'],
  });
}

export function keyWithOtherBody({ attacker }: Pair): void {
  const { queueToken } = getIn(attacker);
  const headers = { ...attacker.authorized(queueToken), [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
  const request = (quantity: number) => ({ method: 'POST', path: HOLDS, headers, body: { quantity } }) as const;
  const first = attacker.ask<Hold>({ ...request(1), endpoint: 'hold' });
  if (!first.ok) return;
  strike<Hold>('keyWithOtherBody', attacker, { request: request(2), refusals: ['idempotency_key_reused'] });
}

export function releasedHold({ attacker }: Pair): void {
  const { held } = getHold(attacker);
  const { holdId } = held;
  attacker.ask({
    endpoint: 'release',
    method: 'DELETE',
    path: pathOf('hold', { holdId }),
    headers: attacker.authorized(),
  });
  strike('releasedHold', attacker, {
    request: {
      method: 'POST',
      path: pathOf('holdPayments', { holdId }),
      headers: attacker.authorized(),
      body: { method: 'card' },
    },
    refusals: ['hold_expired'],
  });
}

export function foreignHold({ attacker, victim }: Pair): void {
  const { holdId } = getHold(victim).held;
  const headers = attacker.authorized();
  const path = pathOf('hold', { holdId });
  const refusals = ['not_found'] as const;
  strike('foreignHold', attacker, { request: { method: 'GET', path, headers }, refusals });
  strike('foreignHold', attacker, {
    request: { method: 'POST', path: pathOf('holdPayments', { holdId }), headers, body: { method: 'card' } },
    refusals,
  });
  strike('foreignHold', attacker, { request: { method: 'DELETE', path, headers }, refusals });
}

function isAnother(answered: Hold, held: Hold): boolean {
  return answered.holdId !== held.holdId || answered.ticketNumbers.join() !== held.ticketNumbers.join();
}
