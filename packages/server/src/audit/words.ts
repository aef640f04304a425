/** Numbers and money in sentences. */
import { formatMoney } from '../platform/money.ts';
import type { Money } from './order-rows.ts';

/** `1 order`, `2 orders`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function isSameMoney(one: Money, other: Money): boolean {
  return one.amount === other.amount && one.currency === other.currency;
}

/** `129.00 EUR`. Without a currency, as is the case for what nobody has told yet, the minor units as they are. */
export function moneyText({ amount, currency }: Money): string {
  return currency === '' ? `${amount} minor units` : formatMoney(amount, currency);
}
