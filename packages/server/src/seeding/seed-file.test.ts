import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseSeed, parseSeedTime } from './seed-file.ts';

const festivalHead = `festivals:
  - key: f
    title: F
    venue: V
    startsAt: 2030-06-01T10:00:00Z
    endsAt: 2030-06-03T22:00:00Z
    sales:
`;
const saleLines = {
  key: 'day-1',
  name: 'Day 1',
  price: '5900',
  currency: 'EUR',
  capacity: '1000',
  limitPerBuyer: '4',
  opensAt: '+0s',
  closesAt: '+30d',
  refundUntil: '+14d',
};

/** Line 8 is the sale's key, the others follow in this order. */
function fileWith(changes: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries({ ...saleLines, ...changes }).filter(([, value]) => value !== undefined);
  return (
    festivalHead +
    lines.map(([name, value], index) => `${index === 0 ? '      - ' : '        '}${name}: ${value}\n`).join('')
  );
}

function faultsOf(text: string) {
  const result = parseSeed(text, 'demo.yaml');
  return result.ok ? [] : result.faults;
}

describe('the seed file', () => {
  test('gives festivals with their sales, defaults filled in', () => {
    const result = parseSeed(fileWith({}), 'demo.yaml');
    expect(result).toMatchObject({
      ok: true,
      seed: {
        organizer: undefined,
        festivals: [
          {
            key: 'f',
            fields: { title: 'F', description: '', venue: 'V' },
            sales: [{ key: 'day-1', fields: { price: 5900, rejoin: 'keep', holdSeconds: 300, admissionSeconds: 120 } }],
          },
        ],
      },
    });
  });

  test('that comes with the project is right and sells a day of 1,000 tickets', () => {
    const url = new URL('../../../../demo/festival.yaml', import.meta.url);
    const result = parseSeed(readFileSync(url, 'utf8'), 'demo/festival.yaml');
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    expect(result.seed.festivals[0]?.sales.map(({ key, fields }) => [key, fields.capacity])).toEqual([
      ['day-1', 1000],
      ['weekend', 2500],
      ['camping', 400],
      ['vip', 60],
    ]);
  });

  test.each([
    ['an unknown field', fileWith({ colour: 'red' }), 17, 'festivals[0].sales[0].colour', 'is not a field here'],
    ['a missing field', fileWith({ price: undefined }), 8, 'festivals[0].sales[0].price', 'is missing'],
    ['a wrong type', fileWith({ price: 'free' }), 10, 'festivals[0].sales[0].price', 'must be integer'],
    ['a negative price', fileWith({ price: '-1' }), 10, 'festivals[0].sales[0].price', 'must be >= 0'],
    [
      'a capacity beyond the limit',
      fileWith({ capacity: '1000001' }),
      12,
      'festivals[0].sales[0].capacity',
      'must be <= 1000000',
    ],
    ['no capacity', fileWith({ capacity: '0' }), 12, 'festivals[0].sales[0].capacity', 'must be >= 1'],
    [
      'an impossible date',
      fileWith({ opensAt: '2030-02-31T00:00:00Z' }),
      14,
      'festivals[0].sales[0].opensAt',
      '2030-02-31 is not a date',
    ],
    [
      'a date without a time',
      fileWith({ opensAt: '2030-02-01' }),
      14,
      'festivals[0].sales[0].opensAt',
      'must be a time like',
    ],
    [
      'an unknown word',
      fileWith({ rejoin: 'perhaps' }),
      17,
      'festivals[0].sales[0].rejoin',
      'must be one of keep, tail',
    ],
    ['an empty value', fileWith({ name: '' }), 9, 'festivals[0].sales[0].name', 'must be string'],
    ['a list for a value', fileWith({ name: '[a]' }), 9, 'festivals[0].sales[0].name', 'must be a single value'],
    [
      'closing before opening',
      fileWith({ closesAt: '+0s' }),
      15,
      'festivals[0].sales[0].closesAt',
      'must be after opensAt',
    ],
    ['a bad key', fileWith({ key: 'Day 1' }), 8, 'festivals[0].sales[0].key', 'must be 1 to 100 lower-case letters'],
    ['a list that is none', 'festivals: 7\n', 1, 'festivals', 'must be a list'],
    ['a field given twice', `${fileWith({})}        price: 1\n`, 17, '', 'Map keys must be unique'],
    ['broken YAML', 'festivals: [\n', 2, '', 'sequence'],
    ['an empty file', '', 1, '', 'must have the fields organizer, festivals'],
  ])('names line and field of %s', (_, text, line, field, message) => {
    expect(faultsOf(text)).toContainEqual(
      expect.objectContaining({ file: 'demo.yaml', line, field, message: expect.stringContaining(message) }),
    );
  });

  test('reports all faults at once', () => {
    expect(
      faultsOf(fileWith({ price: '-1', currency: 'euro', limitPerBuyer: '21' })).map(({ field }) => field),
    ).toEqual(['festivals[0].sales[0].price', 'festivals[0].sales[0].currency', 'festivals[0].sales[0].limitPerBuyer']);
  });

  test('refuses a key that is there twice', () => {
    const [, second] = fileWith({}).split('sales:\n');
    expect(faultsOf(fileWith({}) + second)).toMatchObject([{ line: 17, field: 'festivals[0].sales[1].key' }]);
  });
});

test.each([
  ['+0s', { kind: 'afterCreation', offsetMs: 0 }],
  ['+90s', { kind: 'afterCreation', offsetMs: 90_000 }],
  ['+30m', { kind: 'afterCreation', offsetMs: 1_800_000 }],
  ['+2h', { kind: 'afterCreation', offsetMs: 7_200_000 }],
  ['+30d', { kind: 'afterCreation', offsetMs: 2_592_000_000 }],
  ['2030-01-01T02:00:00+02:00', { kind: 'at', timeMs: Date.UTC(2030, 0, 1) }],
])('the time %s is understood', (text, value) => {
  expect(parseSeedTime(text)).toEqual({ value });
});

test.each([
  '0s',
  '-1s',
  '+1w',
  '+1.5h',
  '+',
  '+999999999d',
  '2030-01-01T00:00:00',
  '2030-01-01T24:61:00Z',
  '1970-01-01T00:00:00Z',
  5,
])('the time %s is refused', (text) => {
  expect(parseSeedTime(text)).toHaveProperty('fault');
});
