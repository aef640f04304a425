/** Rules for values that came from a file: each says what is wrong, and where. Pure. */
import { isRecord } from '../../private-files.ts';

/** Undefined: it is as it should be. Else a sentence's beginning: `totals.requests is no number`. */
export type Rule = (value: unknown, place: string) => string | undefined;

export const aText: Rule = (value, place) => (typeof value === 'string' ? undefined : `${place} is no text`);
export const aFlag: Rule = (value, place) =>
  typeof value === 'boolean' ? undefined : `${place} is neither true nor false`;
/** JSON has no infinite ones. */
export const aNumber: Rule = (value, place) =>
  typeof value === 'number' && Number.isFinite(value) ? undefined : `${place} is no number`;
/** What is counted or measured is never below zero. */
export const anAmount: Rule = (value, place) =>
  aNumber(value, place) ?? (Number(value) < 0 ? `${place} is below zero` : undefined);
export const aTime: Rule = (value, place) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? undefined : `${place} is no time`;

export function orNull(rule: Rule): Rule {
  return (value, place) => (value === null ? undefined : rule(value, place));
}

/** Of a field that earlier results do not have. */
export function optional(rule: Rule): Rule {
  return (value, place) => (value === undefined ? undefined : rule(value, place));
}

export function oneOf(words: readonly string[]): Rule {
  return (value, place) =>
    typeof value === 'string' && words.includes(value) ? undefined : `${place} is none of ${words.join(', ')}`;
}

export function listOf(rule: Rule): Rule {
  return (value, place) => {
    if (!Array.isArray(value)) return `${place} is no list`;
    for (const [index, each] of value.entries()) {
      const fault = rule(each, `${place}[${index}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** Any names, values of one kind. */
export function mapOf(rule: Rule): Rule {
  return (value, place) => {
    if (!isRecord(value)) return `${place} is no object`;
    for (const [name, each] of Object.entries(value)) {
      const fault = rule(each, `${place}.${name}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** A rule for every field of the type: one that is added there does not compile until it is here. More fields do no harm. */
export function shapeOf<Type>(rules: { readonly [Name in keyof Required<Type>]: Rule }): Rule {
  return (value, place) => {
    if (!isRecord(value)) return `${place === '' ? 'it' : place} is no object`;
    for (const [name, rule] of Object.entries<Rule>(rules)) {
      const fault = rule(value[name], place === '' ? name : `${place}.${name}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}
