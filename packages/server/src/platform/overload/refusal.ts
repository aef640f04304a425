/** The answer to who is refused because others go before: it has to cost less than anything else a server says. */
import { API_PREFIX } from '../../contract/paths.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEMS, problemType } from '../../contract/problems.ts';
import type { ReadyAnswer } from '../ready-answer.ts';

const { status, title } = PROBLEMS.overloaded;
export const REFUSAL_DETAIL =
  'The server is busy, and purchases go before this. Ask again when Retry-After has passed.';
const [BEFORE_INSTANCE = '', BEFORE_RETRY = ''] = JSON.stringify({
  type: problemType('overloaded'),
  title,
  status,
  detail: REFUSAL_DETAIL,
  instance: '\0',
  code: 'overloaded',
}).split(JSON.stringify('\0'));
/** Of the same length whatever it is, but for the path and the seconds. */
const HEAD = ['Content-Type', PROBLEM_MEDIA_TYPE, 'Cache-Control', 'no-store', 'Retry-After'];
/** What needs no escaping in JSON: everything our own paths are made of. Others are refused without being named. */
const PLAIN_PATH = new RegExp(`^(?:${API_PREFIX})?/[\\w/.~-]{0,200}$`);

/** @param path without its query */
export function overloadRefusal(path: string, retryAfterSeconds: number): ReadyAnswer {
  const instance = PLAIN_PATH.test(path) ? path : '';
  const body = `${BEFORE_INSTANCE}"${instance}"${BEFORE_RETRY.slice(0, -1)},"retryAfterMs":${retryAfterSeconds * 1_000}}`;
  const headers = [...HEAD, String(retryAfterSeconds), 'Content-Length', String(body.length)];
  return { status, headers, body };
}
