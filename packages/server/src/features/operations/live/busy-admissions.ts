import { LIMITS } from '../../../limits.ts';

/** Of the sales that a process admits to those to which somebody wants to be admitted, first of all: what is told of them stays small. */
export function busyAdmissions<Admission extends { readonly limitedBy: string }>(
  admissions: ReadonlyMap<number, Admission>,
): ReadonlyMap<number, Admission> {
  const isIdle = ({ limitedBy }: Admission): number => Number(limitedBy === 'nobodyWaits' || limitedBy === 'closed');
  const busyFirst = [...admissions].sort(([, a], [, b]) => isIdle(a) - isIdle(b));
  return new Map(busyFirst.slice(0, LIMITS.fleetSales));
}
