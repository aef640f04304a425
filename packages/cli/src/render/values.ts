export { formatMoney } from '@fest/server/platform/money';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A point in time: relative to now on a terminal, exact everywhere else. */
export function formatTime(iso: string, nowMs: number, relative: boolean): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1000);
  if (!relative || Number.isNaN(seconds)) return iso;
  if (seconds === 0) return 'now';
  const [unit, length] = UNITS.find(([, unitSeconds]) => Math.abs(seconds) >= unitSeconds) ?? UNITS[3];
  const amount = `${Math.floor(Math.abs(seconds) / length)} ${unit}`;
  return seconds > 0 ? `in ${amount}` : `${amount} ago`;
}

/** `1 order`, `2 orders`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
