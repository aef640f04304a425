/**
 * The seed file: festivals and their sales in YAML. Every fault names file, line, column and field, and all are reported
 * at once. Values have the bounds of the API's own schemas; only times can be relative besides.
 */
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { FestivalInput, SaleInput } from '../contract/schemas.ts';
import type { FestivalFields, SaleFields } from '../features/catalogue/catalogue.ts';
import { parseTime } from '../features/catalogue/catalogue.ts';
import { LIMITS } from '../limits.ts';

export interface SeedFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** e.g. `festivals[0].sales[2].price`; empty for the file as a whole. */
  readonly field: string;
  readonly message: string;
}

/** A time as it is written: fixed, or counted from the moment at which the festival or sale is created. */
export type SeedTime =
  | { readonly kind: 'at'; readonly timeMs: number }
  | { readonly kind: 'afterCreation'; readonly offsetMs: number };

type TimeMember<Fields> = Extract<keyof Fields, `${string}Ms`>;
export type SeedTimes<Fields> = Readonly<Record<TimeMember<Fields>, SeedTime>>;
type Settled<Fields> = Omit<Fields, TimeMember<Fields>>;

export interface SeedSale {
  readonly key: string;
  readonly fields: Settled<SaleFields>;
  readonly times: SeedTimes<SaleFields>;
}

export interface SeedFestival {
  readonly key: string;
  readonly fields: Settled<FestivalFields>;
  readonly times: SeedTimes<FestivalFields>;
  readonly sales: readonly SeedSale[];
}

export interface Seed {
  /** E-mail address of the organizer who gets new festivals; undefined: the first organizer there is. */
  readonly organizer: string | undefined;
  readonly festivals: readonly SeedFestival[];
}

export type SeedParsing =
  | { readonly ok: true; readonly seed: Seed }
  | { readonly ok: false; readonly faults: readonly SeedFault[] };

/** A file with hundreds of faults has one cause; the first ones show it. */
const FAULTS_SHOWN = 50;
const KEY = /^[a-z0-9][a-z0-9_-]{0,99}$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Reader<Result> = (node: Node | null, field: string) => Result | undefined;
type Members = Readonly<Record<string, { readonly read: Reader<unknown>; readonly fallback?: unknown }>>;

export function parseSeed(text: string, fileName: string): SeedParsing {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const faults: SeedFault[] = [];

  function addFault(offset: number, field: string, message: string): undefined {
    const { line, col } = lineCounter.linePos(offset);
    faults.push({ file: fileName, line, column: col, field, message });
    return undefined;
  }
  for (const { pos, message } of document.errors) addFault(pos[0], '', message);
  const root = document.contents;
  const seed = faults.length === 0 ? createReaders(addFault).seed(root, '') : undefined;
  if (faults.length > 0 || seed === undefined) return { ok: false, faults: faults.slice(0, FAULTS_SHOWN) };
  return { ok: true, seed };
}

type AddFault = (offset: number, field: string, message: string) => undefined;

function createReaders(addFault: AddFault): { readonly seed: Reader<Seed> } {
  const offsetOf = (node: Node | null): number => node?.range?.[0] ?? 0;

  const scalar =
    <Result>(parse: (value: unknown) => { readonly value: Result } | { readonly fault: string }): Reader<Result> =>
    (node, field) => {
      const outcome = isScalar(node) ? parse(node.value) : { fault: 'must be a single value' };
      return 'fault' in outcome ? addFault(offsetOf(node), field, outcome.fault) : outcome.value;
    };

  const list =
    <Item>(read: Reader<Item>, keyOf: (item: Item) => string): Reader<readonly Item[]> =>
    (node, field) => {
      if (!isSeq(node)) return addFault(offsetOf(node), field, 'must be a list');
      const keys = new Set<string>();
      return node.items.flatMap((item, index) => {
        const place = `${field}[${index}]`;
        const value = read(item as Node, place);
        if (value === undefined) return [];
        const key = keyOf(value);
        if (keys.has(key))
          addFault(offsetOf(item as Node), `${place}.key`, `"${key}" is the key of another one in this list`);
        keys.add(key);
        return [value];
      });
    };

  const map =
    (members: Members): Reader<Record<string, unknown>> =>
    (node, field) => {
      if (!isMap(node))
        return addFault(offsetOf(node), field, `must have the fields ${Object.keys(members).join(', ')}`);
      return readMembers(node, field, members, addFault);
    };

  const sale: Reader<SeedSale> = (node, field) => toSale(map(saleMembers(scalar))(node, field), node, field, addFault);
  const festival: Reader<SeedFestival> = (node, field) => {
    const sales = { read: list(sale, ({ key }) => key) };
    const members = { ...festivalMembers(scalar), sales };
    return toFestival(map(members)(node, field), node, field, addFault);
  };
  const seed: Reader<Seed> = (node, field) => {
    const members = {
      organizer: { read: scalar(text(LIMITS.emailCharacters)), fallback: null },
      festivals: { read: list(festival, ({ key }) => key) },
    };
    const value = map(members)(node, field);
    if (value === undefined) return undefined;
    return {
      organizer: (value.organizer as string | null) ?? undefined,
      festivals: value.festivals as readonly SeedFestival[],
    };
  };
  return { seed };
}

/** Every member read, faults noted; undefined when the map cannot be used. */
function readMembers(
  node: YAMLMap,
  field: string,
  members: Members,
  addFault: AddFault,
): Record<string, unknown> | undefined {
  const place = (name: string) => (field === '' ? name : `${field}.${name}`);
  const result: Record<string, unknown> = {};
  let whole = true;
  const given = new Map(node.items.map((pair) => [nameOf(pair), pair]));
  for (const [name, pair] of given) {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    const key = pair.key as Node;
    if (member === undefined) {
      addFault(
        key.range?.[0] ?? 0,
        place(name),
        `is not a field here; the fields are ${Object.keys(members).join(', ')}`,
      );
      whole = false;
      continue;
    }
    const value = member.read((pair.value ?? key) as Node, place(name));
    if (value === undefined) whole = false;
    else result[name] = value;
  }
  for (const [name, member] of Object.entries(members)) {
    if (given.has(name)) continue;
    if (member.fallback === undefined) {
      addFault(node.range?.[0] ?? 0, place(name), 'is missing');
      whole = false;
    } else result[name] = member.fallback;
  }
  return whole ? result : undefined;
}

function nameOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

// --- values ----------------------------------------------------------------------------------------------------------

type Parsed<Result> = { readonly value: Result } | { readonly fault: string };
type MakeScalar = <Result>(parse: (value: unknown) => Parsed<Result>) => Reader<Result>;

const bySchema =
  (schema: TSchema) =>
  (value: unknown): Parsed<unknown> => {
    const [fault] = Value.Errors(schema, value);
    if (fault === undefined) return { value };
    const { allowedValues } = fault.params as { readonly allowedValues?: readonly string[] };
    return { fault: allowedValues === undefined ? fault.message : `must be one of ${allowedValues.join(', ')}` };
  };

const text =
  (maxCharacters: number) =>
  (value: unknown): Parsed<string> =>
    typeof value === 'string' && value !== '' && value.length <= maxCharacters
      ? { value }
      : { fault: `must be a text of 1 to ${maxCharacters} characters` };

function parseKey(value: unknown): Parsed<string> {
  if (typeof value === 'string' && KEY.test(value)) return { value };
  return { fault: 'must be 1 to 100 lower-case letters, digits, - or _, and start with a letter or digit' };
}

/** `2026-08-01T18:00:00Z`, or `+2h`: s, m, h or d from the moment of creation. */
export function parseSeedTime(value: unknown): Parsed<SeedTime> {
  const fault = 'must be a time like 2026-08-01T18:00:00Z, or like +90s, +30m, +2h or +30d from the moment of seeding';
  if (typeof value !== 'string') return { fault };
  const [, amount, unit] = /^\+(\d{1,9})([smhd])$/.exec(value) ?? [];
  if (amount !== undefined) {
    const offsetMs = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
    return offsetMs > 100 * 366 * UNIT_MS.d
      ? { fault: 'must be less than 100 years away' }
      : { value: { kind: 'afterCreation', offsetMs } };
  }
  const date = DATE_TIME.exec(value)?.[1];
  if (date === undefined) return { fault };
  if (!isDate(date)) return { fault: `${date} is not a date of the calendar` };
  const timeMs = parseTime(value);
  return timeMs === undefined
    ? { fault: 'must be a time in the years 2000 to 2199' }
    : { value: { kind: 'at', timeMs } };
}

/** Date.parse takes 31 February for 3 March. */
function isDate(date: string): boolean {
  const timeMs = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(timeMs) && new Date(timeMs).toISOString().startsWith(date);
}

function festivalMembers(scalar: MakeScalar): Members {
  const { title, description, venue } = FestivalInput.properties;
  return {
    key: { read: scalar(parseKey) },
    title: { read: scalar(bySchema(title)) },
    description: { read: scalar(bySchema(description)), fallback: '' },
    venue: { read: scalar(bySchema(venue)) },
    startsAt: { read: scalar(parseSeedTime) },
    endsAt: { read: scalar(parseSeedTime) },
  };
}

function saleMembers(scalar: MakeScalar): Members {
  const { name, price, currency, capacity, limitPerBuyer, rejoin, holdSeconds, admissionSeconds } =
    SaleInput.properties;
  return {
    key: { read: scalar(parseKey) },
    name: { read: scalar(bySchema(name)) },
    price: { read: scalar(bySchema(price)) },
    currency: { read: scalar(bySchema(currency)) },
    capacity: { read: scalar(bySchema(capacity)) },
    limitPerBuyer: { read: scalar(bySchema(limitPerBuyer)) },
    opensAt: { read: scalar(parseSeedTime) },
    closesAt: { read: scalar(parseSeedTime) },
    refundUntil: { read: scalar(parseSeedTime) },
    rejoin: { read: scalar(bySchema(rejoin)), fallback: 'keep' },
    holdSeconds: { read: scalar(bySchema(holdSeconds)), fallback: LIMITS.holdSecondsDefault },
    admissionSeconds: { read: scalar(bySchema(admissionSeconds)), fallback: LIMITS.admissionSecondsDefault },
  };
}

// --- whole festivals and sales ---------------------------------------------------------------------------------------

/** Undefined when one time is fixed and the other relative: then only the moment of seeding can tell. */
function isBefore(left: SeedTime, right: SeedTime): boolean | undefined {
  if (left.kind === 'at' && right.kind === 'at') return left.timeMs < right.timeMs;
  if (left.kind === 'afterCreation' && right.kind === 'afterCreation') return left.offsetMs < right.offsetMs;
  return undefined;
}

type Values = Record<string, unknown> | undefined;

/** What the members' readers have made of a map: `readMembers` returns a value only when every one of them succeeded. */
interface FestivalValues extends Settled<FestivalFields> {
  readonly key: string;
  readonly sales: readonly SeedSale[];
  readonly startsAt: SeedTime;
  readonly endsAt: SeedTime;
}

interface SaleValues extends Settled<SaleFields> {
  readonly key: string;
  readonly opensAt: SeedTime;
  readonly closesAt: SeedTime;
  readonly refundUntil: SeedTime;
}

function offsetOfMember(node: Node | null, name: string): number {
  const pair = isMap(node) ? node.items.find((item) => nameOf(item) === name) : undefined;
  return (pair?.key as Node | undefined)?.range?.[0] ?? node?.range?.[0] ?? 0;
}

function toFestival(values: Values, node: Node | null, field: string, addFault: AddFault): SeedFestival | undefined {
  if (values === undefined) return undefined;
  const { key, sales, startsAt, endsAt, ...fields } = values as unknown as FestivalValues;
  if (isBefore(startsAt, endsAt) === false) {
    return addFault(offsetOfMember(node, 'endsAt'), `${field}.endsAt`, 'must be after startsAt');
  }
  if (sales.length > LIMITS.salesPerFestival) {
    return addFault(
      offsetOfMember(node, 'sales'),
      `${field}.sales`,
      `must be ${LIMITS.salesPerFestival} sales at most`,
    );
  }
  return { key, fields, times: { startsAtMs: startsAt, endsAtMs: endsAt }, sales };
}

function toSale(values: Values, node: Node | null, field: string, addFault: AddFault): SeedSale | undefined {
  if (values === undefined) return undefined;
  const { key, opensAt, closesAt, refundUntil, ...fields } = values as unknown as SaleValues;
  if (isBefore(opensAt, closesAt) === false) {
    return addFault(offsetOfMember(node, 'closesAt'), `${field}.closesAt`, 'must be after opensAt');
  }
  if (isBefore(refundUntil, opensAt) === true) {
    return addFault(offsetOfMember(node, 'refundUntil'), `${field}.refundUntil`, 'must not be before opensAt');
  }
  return { key, fields, times: { opensAtMs: opensAt, closesAtMs: closesAt, refundUntilMs: refundUntil } };
}
