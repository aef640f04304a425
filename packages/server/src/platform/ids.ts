/**
 * Opaque ids. A hold, payment or order id carries its sale (base 36), because that says which Redis keys to look at; the
 * rest is 96 random bits. The order of a payment has the same random part: one order per payment by construction.
 * Clients must not take ids apart.
 */
import { randomBytes } from 'node:crypto';

const KINDS = { hold: 'hold', payment: 'pay', order: 'ord' } as const;
export type IdKind = keyof typeof KINDS;

const PATTERN = /^(hold|pay|ord)_([1-9a-z][0-9a-z]{0,6})_([A-Za-z0-9_-]{16})$/;

export function newId(kind: IdKind, saleId: number, random: (bytes: number) => Buffer = randomBytes): string {
  return `${KINDS[kind]}_${saleId.toString(36)}_${random(12).toString('base64url')}`;
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
