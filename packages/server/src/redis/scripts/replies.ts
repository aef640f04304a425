/** What the replies of several scripts have in common. */
import { type ScriptReply, unexpectedReply } from '../define-script.ts';

/** The sale has no state in Redis, or one of another epoch: it was lost and is (being) rebuilt. */
export type Lost = { readonly status: 'missing' } | { readonly status: 'wrongEpoch' };

export function asNumber(value: number | string | undefined): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`a script replied ${String(value)} where an integer belongs`);
  return number;
}

export function asNumbers(value: number | string | undefined): readonly number[] {
  const text = String(value ?? '');
  return text === '' ? [] : text.split(',').map(asNumber);
}

export function lostOr<Result>(name: string, reply: ScriptReply, decode: () => Result | undefined): Result | Lost {
  if (reply[0] === 'missing' || reply[0] === 'wrongEpoch') return { status: reply[0] };
  return decode() ?? unexpectedReply(name, reply);
}
