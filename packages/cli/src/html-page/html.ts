/** Text in HTML and SVG. Nothing that came from outside gets there in another way. Pure. */
import { printable } from '../render/printable.ts';
import { formatMoney } from '../render/values.ts';

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign);
}

/** `12,345`. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `88,500.00 EUR`, from minor units. */
export function money(minorUnits: number, currency: string): string {
  return formatMoney(minorUnits, currency).replace(/\B(?=(\d{3})+(?=\.|\s))/g, ',');
}

/** Three digits that matter: 1234, 12.3, 0.12. */
export function short(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return grouped(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Never rounded up to all or down to nothing. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return 'under 0.1 %';
  return `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2027-01-01 12:00:05`, UTC. */
export function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** `12:00:05`, UTC. */
export function timeOfDay(iso: string): string {
  return iso.slice(11, 19);
}
