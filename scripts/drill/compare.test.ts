import { describe, expect, test } from 'vitest';
import { comparePictures, differs, LEFT_OUT, LEFT_OUT_COLUMNS, type Picture, renderComparison } from './compare.ts';
import { differing, withoutSold } from './drill.ts';

function picture(tables: Readonly<Record<string, readonly (readonly unknown[])[]>>): Picture {
  return {
    tables: new Map(
      Object.entries(tables).map(([name, rows]) => {
        const counted = new Map<string, number>();
        for (const row of rows.map((each) => JSON.stringify(each))) counted.set(row, (counted.get(row) ?? 0) + 1);
        return [name, { rows: counted, count: rows.length }];
      }),
    ),
  };
}

describe('two databases', () => {
  test('are equal when each row is as often in the one as in the other', () => {
    const one = picture({
      log_epochs: [
        ['a', 1],
        ['a', 1],
        ['b', 2],
      ],
    });
    expect(differing(comparePictures(one, one))).toEqual([]);
  });

  test('differ when a row is twice in one and once in the other', () => {
    const twice = picture({
      log_epochs: [
        ['a', 1],
        ['a', 1],
      ],
    });
    const once = picture({ log_epochs: [['a', 1]] });
    expect(comparePictures(twice, once)).toMatchObject([{ missing: ['["a",1]'], surplus: [] }]);
    expect(comparePictures(once, twice)).toMatchObject([{ missing: [], surplus: ['["a",1]'] }]);
  });

  test('differ when one has a table that the other lacks, even an empty one, and even one whose rows do not count', () => {
    const all = picture({ orders: [], sessions: [[1]] });
    expect(differing(comparePictures(all, picture({})))).toEqual(['orders', 'sessions']);
    expect(differing(comparePictures(picture({}), all))).toEqual(['orders', 'sessions']);
  });

  test('are told apart with a word on everything that is not compared', () => {
    const old = picture({ ...Object.fromEntries(Object.keys(LEFT_OUT).map((name) => [name, [[1]]])), orders: [[1]] });
    const restored = picture(Object.fromEntries([...Object.keys(LEFT_OUT), 'orders'].map((name) => [name, []])));
    const comparisons = comparePictures(old, restored);
    expect(comparisons.filter(differs).map(({ table }) => table)).toEqual(['orders']);
    const said = renderComparison(comparisons);
    expect(said).toMatch(/^DIFFER {2}orders .*\n +only in the old one: \[1\]$/m);
    for (const [table, why] of Object.entries(LEFT_OUT)) expect(said).toContain(`${table.padEnd(32)} ${why}`);
    for (const [table, columns] of Object.entries(LEFT_OUT_COLUMNS)) {
      for (const [column, why] of Object.entries(columns)) {
        expect(said).toContain(`${`${table}.${column}`.padEnd(32)} ${why}`);
      }
    }
  });
});

describe('what was sold while there was no database', () => {
  const before = picture({
    orders: [['ord_1', 1]],
    tickets: [[1, 'ord_1']],
    applier_positions: [['log', 'server-1', 5, null]],
  });
  const compared = (restored: Picture) =>
    differing(comparePictures(before, restored).map((each) => withoutSold(each, 'ord_2')));
  const orders = [
    ['ord_1', 1],
    ['ord_2', 1],
  ];
  const tickets = [
    [1, 'ord_1'],
    [2, 'ord_2'],
  ];
  const moved = [['log', 'server-1', 9, null]];

  test('is no difference when the new one has it, once, and the position of its log moved on', () => {
    expect(compared(picture({ orders, tickets, applier_positions: moved }))).toEqual([]);
  });

  test.each([
    [
      'the new one lacks it',
      { orders: [['ord_1', 1]], tickets: [[1, 'ord_1']], applier_positions: moved },
      ['orders', 'tickets'],
    ],
    ['it has two tickets', { orders, tickets: [...tickets, [3, 'ord_2']], applier_positions: moved }, ['tickets']],
    [
      'another order is there too',
      { orders: [...orders, ['ord_3', 1]], tickets, applier_positions: moved },
      ['orders'],
    ],
    ['an order of before is gone', { orders: [['ord_2', 1]], tickets, applier_positions: moved }, ['orders']],
    [
      'a position fell back',
      { orders, tickets, applier_positions: [['log', 'server-1', 4, null]] },
      ['applier_positions'],
    ],
    [
      'a position is of another log',
      { orders, tickets, applier_positions: [['gol', 'server-1', 9, null]] },
      ['applier_positions'],
    ],
  ])('is a difference when %s', (_, tables, expected) => {
    expect(compared(picture(tables))).toEqual(expected);
  });
});
