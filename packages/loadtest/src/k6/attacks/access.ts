/** Access tokens that are none. */
import { pathOf } from '@fest/server/contract/paths';
import type { Attack } from '../../bench/attacks.ts';
import { plan } from '../plan.ts';
import type { Pair } from './accomplices.ts';
import { garbage, signedWith, unsigned, withContent } from './forgery.ts';
import { strike } from './strike.ts';

const JOIN = pathOf('saleQueue', { saleId: plan.saleId });

/** With each of them: joining, which takes an account. */
function joinWith(attack: Attack, { attacker }: Pair, accessTokens: readonly string[]): void {
  for (const accessToken of accessTokens) {
    strike(attack, attacker, {
      request: { method: 'POST', path: JOIN, headers: { Authorization: `Bearer ${accessToken}` } },
      refusals: ['unauthenticated'],
    });
  }
}

export function garbageAccessToken(pair: Pair): void {
  const { random } = pair.attacker;
  const [long, part] = [garbage(800, random), () => garbage(60, random)];
  joinWith('garbageAccessToken', pair, [long, [part(), part(), part()].join('.'), 'null', '..']);
}

export function forgedAccessToken(pair: Pair): void {
  const { token } = pair.attacker;
  joinWith('forgedAccessToken', pair, [
    withContent(token, { roles: ['operator', 'organizer', 'staff', 'buyer'] }),
    withContent(token, { sub: '1' }),
    withContent(token, { exp: 4_102_444_800 }),
  ]);
}

export function unsignedAccessToken(pair: Pair): void {
  joinWith('unsignedAccessToken', pair, [unsigned(pair.attacker.token)]);
}

export function otherAlgorithmToken(pair: Pair): void {
  const { token } = pair.attacker;
  joinWith('otherAlgorithmToken', pair, [
    signedWith(token, 'HS512', 'secret'),
    signedWith(token, 'HS384', ''),
    signedWith(token, 'HS256', 'secret'),
  ]);
}

/** Only where there is one at hand. */
export function expiredAccessToken(pair: Pair): void {
  if (plan.expiredToken !== undefined) joinWith('expiredAccessToken', pair, [plan.expiredToken]);
}
