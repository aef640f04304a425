/** Which rows of a sale become one, so that there are never too many. Pure. */
import { isAlike, mergeSamples, type SaleSample } from './sample.ts';

export interface Thinning {
  /** Rows that go, by their end. */
  readonly gone: readonly number[];
  /** Rows that come in their place, or replace one with the same end. */
  readonly merged: readonly SaleSample[];
}

export interface ThinningBounds {
  /** Not more rows than this are left. */
  readonly atMost: number;
  /** Rows in this time stay as they are, as far as that goes. */
  readonly keepFromMs: number;
  readonly keepToMs: number;
}

/**
 * Merges neighbours two by two, until three quarters of what may be are left: so it is not done again with the next row. A gap stays
 * one, and so does a change of phase. Should that not be enough, the first rows go.
 */
export function thin(rows: readonly SaleSample[], { atMost, keepFromMs, keepToMs }: ThinningBounds): Thinning {
  if (rows.length <= atMost) return { gone: [], merged: [] };
  const goal = Math.floor((atMost * 3) / 4);
  const isKept = ({ fromMs, toMs }: SaleSample): boolean => fromMs >= keepFromMs && toMs <= keepToMs;
  let left = rows;
  for (let before = Number.POSITIVE_INFINITY; left.length > goal && left.length < before; ) {
    before = left.length;
    left = halve(left, left.length - goal, isKept);
  }
  left = left.slice(-atMost);
  const [was, is] = [new Set(rows), new Set(left.map(({ toMs }) => toMs))];
  return {
    gone: rows.map(({ toMs }) => toMs).filter((toMs) => !is.has(toMs)),
    merged: left.filter((row) => !was.has(row)),
  };
}

/** At most so many pairs, the oldest first. */
function halve(
  rows: readonly SaleSample[],
  pairs: number,
  isKept: (row: SaleSample) => boolean,
): readonly SaleSample[] {
  const result: SaleSample[] = [];
  let merged = 0;
  for (let index = 0; index < rows.length; index += 1) {
    const [row, next] = [rows[index], rows[index + 1]];
    if (row === undefined) continue;
    const mayMerge = merged < pairs && next !== undefined && !isKept(row) && !isKept(next) && isAlike(row, next);
    result.push(mayMerge ? mergeSamples(row, next) : row);
    if (!mayMerge) continue;
    merged += 1;
    index += 1;
  }
  return result;
}
