/**
 * Opaque ids. A hold, payment or order id carries its sale (base 36), because that says which Redis keys to look at, the
 * second it was made in (32 bits, until 2106), and 64 random bits. In the order of their text they are in the order of
 * time: so MySQL adds new rows next to each other, instead of reading and writing back a page somewhere in the table for
 * each (decision 0030). The order of a payment has the same second part: one order per payment by construction.
 * Clients must not take ids apart.
 */
import { fewRandomBytes } from './random-bytes.ts';

const KINDS = { hold: 'hold', payment: 'pay', order: 'ord' } as const;
export type IdKind = keyof typeof KINDS;

const PATTERN = /^(hold|pay|ord)_([1-9a-z][0-9a-z]{0,6})_([A-Za-z0-9_-]{16})$/;

/** The characters of base64url in the order of their codes, in which MySQL sorts too: base64url itself is not sorted. */
const SORTED = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';
const RANDOM_BYTES = 8;

/** `nowMs` need not be exact, nor ever go on: only the place in MySQL depends on it. */
export function newId(kind: IdKind, saleId: number, nowMs: number): string {
  const bytes = fewRandomBytes(RANDOM_BYTES);
  const seconds = Math.floor(nowMs / 1000);
  // 96 bits in four parts of 24, each of which are four characters.
  const time = sortable(seconds >>> 8) + sortable(((seconds & 0xff) << 16) | bytes.readUInt16BE(0));
  const rest = sortable(bytes.readUIntBE(2, 3)) + sortable(bytes.readUIntBE(5, 3));
  return `${KINDS[kind]}_${saleId.toString(36)}_${time}${rest}`;
}

function sortable(bits24: number): string {
  const at = (shift: number) => SORTED.charAt((bits24 >>> shift) & 0x3f);
  return at(18) + at(12) + at(6) + at(0);
}

/** Bytes of the part of an id behind its sale. */
export const ID_TAIL_BYTES = 12;

/** The part of an id behind its sale, as bytes: a spelling of the text, without a meaning of their own. */
export function tailOfId(id: string): Buffer {
  return Buffer.from(id.slice(-16), 'base64url');
}

/** The id that has this tail: the inverse of `tailOfId`. */
export function idOfTail(kind: IdKind, saleId: number, tail: Buffer): string {
  return `${KINDS[kind]}_${saleId.toString(36)}_${tail.toString('base64url')}`;
}

/** The sale an id belongs to, or undefined when it is not an id of that kind. */
export function saleOfId(kind: IdKind, id: string): number | undefined {
  const match = PATTERN.exec(id);
  if (match === null || match[1] !== KINDS[kind]) return undefined;
  const saleId = Number.parseInt(match[2] ?? '', 36);
  return saleId <= 0xffff_ffff ? saleId : undefined;
}

export function orderIdOf(paymentId: string): string {
  return paymentId.replace(/^pay_/, 'ord_');
}

export function paymentIdOf(orderId: string): string {
  return orderId.replace(/^ord_/, 'pay_');
}

/** A path parameter the schema has checked to be digits → the number, or undefined beyond 32 bits. */
export function parseNumericId(text: string): number | undefined {
  const id = Number(text);
  return Number.isSafeInteger(id) && id >= 1 && id <= 0xffff_ffff ? id : undefined;
}
