/** What one check of the readiness found. */
import type { CheckStatus, ReadinessCheckId } from '../../contract/operations.ts';

export interface Finding {
  readonly id: ReadinessCheckId;
  readonly status: CheckStatus;
  /** What was seen. */
  readonly found: string;
  /** What to do about it; for everything that is not `ok`. */
  readonly remedy?: string;
}

/** Something that was asked for and is known, or is not: then why. */
export type Fact<Value> =
  | { readonly known: true; readonly value: Value }
  | { readonly known: false; readonly why: string };

export function ok(id: ReadinessCheckId, found: string): Finding {
  return { id, status: 'ok', found };
}

export function notOk(
  id: ReadinessCheckId,
  status: Exclude<CheckStatus, 'ok'>,
  found: string,
  remedy: string,
): Finding {
  return { id, status, found, remedy };
}

/** `3 tickets`, `1 ticket`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `512.0 MiB`, for bytes. */
export function size(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** `90 s`, `12 min`, `3 h`, `20 d`: about as long as that. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
