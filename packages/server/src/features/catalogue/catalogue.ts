/** Decisions about festivals and their sales on plain data. */

import { parseTimeText, toTimeText } from '../../contract/json-time.ts';
import type { FieldError } from '../../contract/problems.ts';
import type { Festival, FestivalPatch, Sale, SaleInput, SalePatch } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { LiveSaleState } from '../stock/sale-states.ts';
import type { SaleRecord } from './sale-record.ts';

export interface FestivalRecord {
  readonly id: number;
  /** Account that owns it. */
  readonly organizerId: number;
  readonly title: string;
  readonly description: string;
  readonly venue: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface FestivalWithSalesRecord {
  readonly festival: FestivalRecord;
  /** By id, at most `LIMITS.salesPerFestival`. */
  readonly sales: readonly SaleRecord[];
}

/** What an organizer decides about a festival. */
export type FestivalFields = Omit<FestivalRecord, 'id' | 'organizerId'>;
/** What an organizer decides about a sale. */
export type SaleFields = Omit<SaleRecord, 'id' | 'festivalId' | 'organizerId' | 'version'>;

export type Checked<Value> =
  | { readonly status: 'ok'; readonly value: Value }
  | { readonly status: 'invalid'; readonly errors: readonly FieldError[] };

/** Names of the record's time members → of the contract's. */
const TIME_NAMES = {
  startsAtMs: 'startsAt',
  endsAtMs: 'endsAt',
  opensAtMs: 'opensAt',
  closesAtMs: 'closesAt',
  refundUntilMs: 'refundUntil',
} as const;

const FIRST_TIME_MS = Date.UTC(2000, 0, 1);
const LAST_TIME_MS = Date.UTC(2200, 0, 1) - 1;

/**
 * The schema has checked the form and the days of the month; a leap second or an offset without minutes still is no time
 * that we can store, and a year far off is a slip.
 */
export function parseTime(text: string): number | undefined {
  const timeMs = parseTimeText(text);
  return timeMs >= FIRST_TIME_MS && timeMs <= LAST_TIME_MS ? timeMs : undefined;
}

type TimeName = keyof typeof TIME_NAMES;

/** Replaces the contract's time texts by Unix milliseconds; other members stay as they are. */
function withTimes<Fields>(input: Readonly<Record<string, unknown>>, names: readonly TimeName[]): Checked<Fields> {
  const fields: Record<string, unknown> = { ...input };
  const errors: FieldError[] = [];
  for (const name of names) {
    const member = TIME_NAMES[name];
    const text = fields[member];
    if (typeof text !== 'string') continue;
    delete fields[member];
    const timeMs = parseTime(text);
    if (timeMs === undefined)
      errors.push({ pointer: `/${member}`, detail: 'must be a time in the years 2000 to 2199' });
    else fields[name] = timeMs;
  }
  return errors.length > 0 ? { status: 'invalid', errors } : { status: 'ok', value: fields as Fields };
}

/** `FestivalInput` is one too: it just has all members. */
export function parseFestivalFields(input: FestivalPatch): Checked<Partial<FestivalFields>> {
  return withTimes(input, ['startsAtMs', 'endsAtMs']);
}

export function parseSalePatch(patch: SalePatch): Checked<Partial<SaleFields>> {
  return withTimes(patch, ['opensAtMs', 'closesAtMs', 'refundUntilMs']);
}

export function parseSaleInput(input: SaleInput): Checked<SaleFields> {
  const withDefaults = {
    ...input,
    rejoin: input.rejoin ?? 'keep',
    holdSeconds: input.holdSeconds ?? LIMITS.holdSecondsDefault,
    admissionSeconds: input.admissionSeconds ?? LIMITS.admissionSecondsDefault,
  };
  return withTimes(withDefaults, ['opensAtMs', 'closesAtMs', 'refundUntilMs']);
}

/** Faults in how a festival's times lie to each other; empty: none. */
export function festivalTimeErrors({ startsAtMs, endsAtMs }: FestivalFields): readonly FieldError[] {
  return startsAtMs < endsAtMs ? [] : [{ pointer: '/endsAt', detail: 'must be after startsAt' }];
}

/** Faults in how a sale's times lie to each other; empty: none. */
export function saleTimeErrors({ opensAtMs, closesAtMs, refundUntilMs }: SaleFields): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (closesAtMs <= opensAtMs) errors.push({ pointer: '/closesAt', detail: 'must be after opensAt' });
  if (refundUntilMs < opensAtMs) errors.push({ pointer: '/refundUntil', detail: 'must not be before opensAt' });
  return errors;
}

/** True when `wanted` has a member that differs from `present`. */
export function differs<Fields extends object>(present: Fields, wanted: Partial<Fields>): boolean {
  return (Object.keys(wanted) as Array<keyof Fields>).some((name) => wanted[name] !== present[name]);
}

export type FestivalChange =
  | { readonly status: 'change'; readonly festival: FestivalRecord }
  | { readonly status: 'unchanged' }
  | { readonly status: 'invalid'; readonly errors: readonly FieldError[] };

export function decideFestivalChange(festival: FestivalRecord, wanted: Partial<FestivalFields>): FestivalChange {
  if (!differs<FestivalFields>(festival, wanted)) return { status: 'unchanged' };
  const changed = { ...festival, ...wanted };
  const errors = festivalTimeErrors(changed);
  return errors.length > 0 ? { status: 'invalid', errors } : { status: 'change', festival: changed };
}

/** What a buyer has relied on since the opening cannot change any more. */
const SETTLED_BY_OPENING = { price: 'price', currency: 'currency', opensAtMs: 'opensAt' } as const;

/** Members of a change that the opening of the sale has settled. */
export function settledMembers(sale: SaleRecord, wanted: Partial<SaleFields>): readonly string[] {
  const names = Object.keys(SETTLED_BY_OPENING) as Array<keyof typeof SETTLED_BY_OPENING>;
  return names
    .filter((name) => wanted[name] !== undefined && wanted[name] !== sale[name])
    .map((name) => SETTLED_BY_OPENING[name]);
}

/** Past its opening time a sale counts as opened even if no server has opened it yet. */
export function wasOpened(sale: SaleRecord, state: LiveSaleState, nowMs: number): boolean {
  return state.phase !== 'scheduled' || nowMs >= sale.opensAtMs || state.held + state.sold > 0;
}

export type SaleChange =
  | { readonly status: 'change'; readonly sale: SaleRecord }
  | { readonly status: 'unchanged' }
  | { readonly status: 'invalid'; readonly errors: readonly FieldError[] };

/**
 * The sale as it will be. Its version is at least the time in milliseconds: should a change reach Redis and then not be
 * committed in MySQL, the next one still counts as newer there. (No two share a millisecond: the row lock is between them.)
 */
export function decideSaleChange(sale: SaleRecord, wanted: Partial<SaleFields>, nowMs: number): SaleChange {
  if (!differs<SaleFields>(sale, wanted)) return { status: 'unchanged' };
  const version = Math.max(sale.version + 1, nowMs);
  const changed = { ...sale, ...wanted, version };
  const errors = saleTimeErrors(changed);
  return errors.length > 0 ? { status: 'invalid', errors } : { status: 'change', sale: changed };
}

export function toFestivalAnswer(festival: FestivalRecord): Festival {
  const { id, title, description, venue, startsAtMs, endsAtMs } = festival;
  return { id, title, description, venue, startsAt: toTimeText(startsAtMs), endsAt: toTimeText(endsAtMs) };
}

export function toSaleAnswer(sale: SaleRecord, { phase, available, held, sold }: LiveSaleState): Sale {
  return {
    id: sale.id,
    festivalId: sale.festivalId,
    name: sale.name,
    price: sale.price,
    currency: sale.currency,
    capacity: sale.capacity,
    limitPerBuyer: sale.limitPerBuyer,
    opensAt: toTimeText(sale.opensAtMs),
    closesAt: toTimeText(sale.closesAtMs),
    refundUntil: toTimeText(sale.refundUntilMs),
    rejoin: sale.rejoin,
    holdSeconds: sale.holdSeconds,
    admissionSeconds: sale.admissionSeconds,
    phase,
    stock: { available, held, sold },
  };
}
