/** What a lane does, without its connection: plain decisions, so that they can be tested without a server. */
import type { Answer } from './answer-parser.ts';

/** One request and what has to come back. */
export interface Exchange {
  /** What it is counted as. */
  readonly kind: string;
  readonly bytes: Buffer;
  /** Any other status is a fault. */
  readonly expected: number;
}

/** A pause of this lane, milliseconds; its connection stays open. */
export interface Pause {
  readonly pauseMs: number;
}

/** The lane's part of the work is done. */
export const DONE = Symbol('done');

export interface Lane {
  next(): Exchange | Pause | typeof DONE;
  /**
   * @param answer with the expected status
   * @returns how many units were finished with it
   * @throws {Error} when the answer does not say what it should
   */
  answered(exchange: Exchange, answer: Answer): number;
}

export interface Work {
  /** Units in all: requests of a plain list, else whole courses (an order, a purchase). */
  readonly units: number;
  openLane(): Lane;
  /** What was found in the answers, if the work looked for something. */
  readonly captured: readonly string[];
}

/** The text of a member of a flat JSON object; of a string value only one without escapes. */
export function memberOf(body: Buffer, name: string): string | undefined {
  const mark = `"${name}":`;
  const at = body.indexOf(mark);
  if (at === -1) return undefined;
  const from = at + mark.length;
  if (body[from] !== QUOTE) {
    let end = from;
    while (end < body.length && body[end] !== COMMA && body[end] !== BRACE) end += 1;
    return body.toString('latin1', from, end);
  }
  const end = body.indexOf(QUOTE, from + 1);
  return end === -1 ? undefined : body.toString('latin1', from + 1, end);
}

const [QUOTE, COMMA, BRACE] = [0x22, 0x2c, 0x7d];

/** @throws {Error} when the answer lacks it */
export function requireMember(body: Buffer, name: string): string {
  const value = memberOf(body, name);
  if (value === undefined) throw new Error(`an answer without "${name}": ${body.toString().slice(0, 200)}`);
  return value;
}
