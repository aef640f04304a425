/** Input that a schema must refuse, made from the schema itself, so that a new field is attacked without a new test. */
import type { BodySchema, FieldSchema } from './api-routes.ts';

/** A body that is right, but for the one field a test puts something else into. */
export function sampleBody({ properties, required = Object.keys(properties) }: BodySchema): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, sampleValue(name, properties[name] ?? {})]));
}

/** Times are in the order in which a festival and its sales have them. */
const TIMES: Readonly<Record<string, string>> = {
  opensAt: '2027-02-01T00:00:00Z',
  closesAt: '2027-03-01T00:00:00Z',
  refundUntil: '2027-03-01T00:00:00Z',
  startsAt: '2027-04-01T00:00:00Z',
  endsAt: '2027-04-03T00:00:00Z',
};

function sampleValue(name: string, schema: FieldSchema): unknown {
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === 'integer') return schema.minimum ?? 1;
  if (schema.format === 'email') return 'somebody@example.org';
  if (schema.format === 'date-time') return TIMES[name];
  if (schema.pattern === '^[A-Z]{3}$') return 'EUR';
  return 'x'.repeat(Math.max(8, schema.minLength ?? 1));
}

export interface Fault {
  readonly name: string;
  readonly value: unknown;
}

/** JSON can write numbers that no double is; `JSON.stringify` cannot. */
const INFINITE = 'a number beyond all doubles';

export function bodyWith(good: Readonly<Record<string, unknown>>, field: string, { value }: Fault): string {
  return JSON.stringify({ ...good, [field]: value }).replace(JSON.stringify(INFINITE), '1e9999');
}

const WRONG_TYPES: readonly Fault[] = [
  { name: 'null', value: null },
  { name: 'a boolean', value: true },
  { name: 'a list', value: [] },
  { name: 'a list of one', value: ['x'] },
  { name: 'an object', value: {} },
  { name: 'an object with toString', value: { toString: 'x', length: 1 } },
];

/** Values one field must not have. */
export function faultsOf(schema: FieldSchema): readonly Fault[] {
  return [...WRONG_TYPES, ...(schema.type === 'integer' ? integerFaults(schema) : textFaults(schema))];
}

function integerFaults({ minimum, maximum }: FieldSchema): readonly Fault[] {
  return [
    { name: 'a number as text', value: '1' },
    { name: 'an empty text', value: '' },
    { name: 'a fraction', value: 1.5 },
    { name: 'a negative number', value: -1 },
    { name: 'a huge negative number', value: -(2 ** 53) },
    { name: 'more than 2^53', value: 2 ** 60 },
    { name: 'the largest double', value: Number.MAX_VALUE },
    { name: '1e9999', value: INFINITE },
    ...(minimum === undefined ? [] : [{ name: 'one less than the minimum', value: minimum - 1 }]),
    ...(maximum === undefined ? [] : [{ name: 'one more than the maximum', value: maximum + 1 }]),
  ];
}

function textFaults(schema: FieldSchema): readonly Fault[] {
  const { enum: words, format, pattern, minLength = 0, maxLength } = schema;
  const formed = words !== undefined || format !== undefined || pattern !== undefined;
  const control = (code: number): Fault => ({
    name: `the control character ${code.toString(16)}`,
    value: `Abcdefgh${String.fromCharCode(code)}`,
  });
  return [
    { name: 'a number', value: 7 },
    { name: 'a huge number', value: Number.MAX_VALUE },
    ...(minLength > 0 || words !== undefined ? [{ name: 'an empty text', value: '' }] : []),
    ...(minLength > 1 ? [{ name: 'a text that is too short', value: 'x'.repeat(minLength - 1) }] : []),
    ...(maxLength === undefined ? [] : [{ name: 'a text that is too long', value: 'x'.repeat(maxLength + 1) }]),
    ...(formed ? [{ name: 'a very long text', value: 'x'.repeat(20_000) }] : []),
    ...(formed ? [0x00, 0x07, 0x1b, 0x7f, 0x9b].map(control) : []),
    ...(words === undefined ? [] : [{ name: 'another word', value: 'toString' }]),
    ...(format === 'date-time'
      ? ['tomorrow', '2027-02-30T00:00:00Z', '2027-01-01', '+275760-09-13T00:00:00Z'].map(asFault)
      : []),
    ...(format === 'email' ? ['x', 'x@', '@x.org', 'a b@x.org', 'a@x.org, b@x.org', 'ä@x.org\n'].map(asFault) : []),
  ];
}

function asFault(value: string): Fault {
  return { name: JSON.stringify(value), value };
}

export interface FaultyBody {
  readonly name: string;
  /** Undefined: no body at all. */
  readonly payload: string | undefined;
  readonly contentType: string | undefined;
  readonly code: 'malformed_json' | 'unsupported_media_type' | 'validation_failed' | 'payload_too_large';
}

const json = (name: string, payload: string, code: FaultyBody['code']): FaultyBody => ({
  name,
  payload,
  contentType: 'application/json',
  code,
});

/** Bodies no route takes. `good` is the JSON of one that it does. */
export function faultyBodies(good: string, largestBytes: number): readonly FaultyBody[] {
  const asType = (contentType: string | undefined): FaultyBody => ({
    name: `the right body as ${contentType ?? 'nothing'}`,
    payload: good,
    contentType,
    code: 'unsupported_media_type',
  });
  return [
    ...['{"a":', '{a: 1}', "{'a': 1}", '{"a": 1,}', '{"a": NaN}', '{"a": 0x10}', '{"a": "\u0001"}', 'null null'].map(
      (text) => json(`not JSON: ${JSON.stringify(text)}`, text, 'malformed_json'),
    ),
    json('a body that sets a prototype', '{"__proto__": {"roles": ["operator"]}}', 'malformed_json'),
    json('an empty body', '', 'malformed_json'),
    json('a cut body', good.slice(0, -1), 'malformed_json'),
    json('two bodies', good + good, 'malformed_json'),
    ...['null', '[]', '"text"', '7', '1e9999', 'true', `[${good}]`, `${'['.repeat(5_000)}${']'.repeat(5_000)}`].map(
      (text) => json(`a body that is no object: ${text.slice(0, 20)}`, text, 'validation_failed'),
    ),
    json('too large a body', `{"a": "${'x'.repeat(largestBytes)}"}`, 'payload_too_large'),
    json('too many blanks', `${good}${' '.repeat(largestBytes)}`, 'payload_too_large'),
    { name: 'no body', payload: undefined, contentType: undefined, code: 'validation_failed' },
    asType(undefined),
    ...[
      'text/plain',
      'text/json',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/merge-patch+json',
      'json',
      '/',
    ].map(asType),
  ];
}
