/** What a change of the admission leads to. The server decides by the same rule; all of it is sent, so that the plan holds. */
import { WAITING_ROOM_LIMITS } from '@fest/server/limits/waiting-room';
import type { Admission } from './plan.ts';

export type RateInput = Partial<Admission>;

/**
 * What is left out stays as it is, except that a sale which goes over to `auto` without a rate has no bound, and one that comes
 * back from there gets the rate of new sales.
 */
export function resolveAdmission(from: Admission, wanted: RateInput): Admission {
  const mode = wanted.mode ?? from.mode;
  const maxActive = wanted.maxActive ?? from.maxActive;
  const { perSecondMax, perSecondDefault } = WAITING_ROOM_LIMITS;
  if (wanted.perSecond !== undefined) return { mode, perSecond: wanted.perSecond, maxActive };
  if (mode === 'auto' && from.mode !== 'auto') return { mode, perSecond: perSecondMax, maxActive };
  const wasUnbound = from.mode === 'auto' && from.perSecond === perSecondMax;
  return { mode, perSecond: mode === 'fixed' && wasUnbound ? perSecondDefault : from.perSecond, maxActive };
}

export function describeAdmission({ mode, perSecond, maxActive }: Admission): string {
  const upTo = mode === 'auto' ? 'up to ' : '';
  return `${mode}, ${upTo}${perSecond} a second, ${maxActive} places`;
}
