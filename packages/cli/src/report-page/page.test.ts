import { describe, expect, test } from 'vitest';
import { duration, escaped, money, percent, short } from '../html-page/html.ts';
import { reportTime, saleReport, timeline } from '../test-support/sale-report.ts';
import { statesOf } from './charts.ts';
import { renderPage } from './page.ts';
import { happeningsOf } from './tables.ts';

const page = renderPage(saleReport());
const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

test('a page needs nothing from elsewhere: no address, no script, and it forbids itself all of that', () => {
  expect(page).not.toMatch(/https?:|<script|<link|<img|url\(|@import/);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test('it has the figures of the report', () => {
  for (const text of ['35.0 % of 100', '1,732.50 EUR', '99.00 EUR given back', '60 served, 54 came for tickets']) {
    expect(page).toContain(text);
  }
  expect(page).toContain('by 21 buyers, 1 more given back');
  expect(page).toMatch(/<code>not_admitted<\/code><\/th><td class="number">40/);
  expect(page).toMatch(/card_declined<\/td><td class="number">3/);
});

test('every chart has a name for those who hear it, and every table a caption and heads', () => {
  expect(count(page, /<svg /g)).toBeGreaterThan(8);
  expect(count(page, /<svg [^>]*role="img" aria-label="[^"]+"/g)).toBe(count(page, /<svg /g));
  expect(count(page, /<table><caption>[^<]+/g)).toBe(count(page, /<table>/g));
  expect(page).toContain('scope="col"');
  expect(page).toContain('scope="row"');
});

test('it is light, dark, and fit for paper', () => {
  expect(page).toContain('@media (prefers-color-scheme: dark)');
  expect(page).toContain('@media print');
});

test('names are text, whatever they are', () => {
  const evil = '</title><script>alert(1)</script>"\'&\u202e';
  const { sale, actions, incidents } = saleReport();
  const html = renderPage(
    saleReport({
      sale: { ...sale, name: evil, festivalTitle: evil, venue: evil },
      actions: actions.map((action) => ({ ...action, operator: evil })),
      incidents: incidents.map((event) => ({ ...event, text: evil })),
      refusals: { byCode: [{ code: evil, count: 1 }], processes: 1, overloaded: 0 },
    }),
  );
  expect(html).not.toContain('<script');
  expect(html).not.toContain('\u202e');
  expect(html).toContain('&lt;/title&gt;&lt;script&gt;');
  expect(escaped('a"b\'c&<>')).toBe('a&quot;b&#39;c&amp;&lt;&gt;');
});

describe('what was not recorded', () => {
  test('is said, and drawn as nothing', () => {
    expect(page).toContain('In 1 gap (grey, 45 s together) nobody recorded');
    expect(count(page, /<rect class="gap"/g)).toBeGreaterThan(8);
  });

  test('of a whole sale leaves a page without charts', () => {
    const { totals, fairness } = saleReport();
    const html = renderPage(
      saleReport({
        recorded: { from: null, to: null, rows: 0, gaps: [], incomplete: [] },
        timeline: timeline([]),
        totals: { ...totals, line: null, payments: [] },
        fairness: { ...fairness, turns: null, waits: null, estimates: null },
        refusals: { byCode: [], processes: 0, overloaded: 0 },
        actions: [],
        incidents: [],
      }),
    );
    expect(html).not.toContain('<svg');
    expect(html).toContain('No process has recorded this sale');
    expect(html).toContain('not measured');
    expect(html).not.toMatch(/NaN|undefined|null|Infinity/);
  });

  test('but for one row leaves charts of one row', () => {
    const recorded = { from: reportTime(0), to: reportTime(5), rows: 1, gaps: [], incomplete: [] };
    const html = renderPage(saleReport({ recorded, timeline: timeline([[0, 5]]) }));
    expect(html).toContain('There are no gaps.');
    expect(html).not.toMatch(/NaN|Infinity/);
  });
});

test('a sale that goes on is called partial', () => {
  expect(page).not.toContain('partial:');
  expect(renderPage(saleReport({ partial: true }))).toContain('partial: the sale has not closed');
});

test('what operators did and what went wrong is numbered, and what is only news is not', () => {
  const { incidents } = saleReport();
  const [first] = incidents;
  if (first === undefined) throw new Error('there is one');
  const happenings = happeningsOf(saleReport({ incidents: [{ ...first, level: 'info' }, first, first] }));
  expect(happenings.incidents.map(({ label }) => label)).toEqual([undefined, 'I1', 'I2']);
  expect(happenings.marks.map(({ label, kind }) => [label, kind])).toEqual([
    ['A1', 'action'],
    ['I1', 'incident'],
    ['I2', 'incident'],
  ]);
});

test('a state lasts until another one, or a gap', () => {
  const { timeline: rows } = saleReport();
  const spans = statesOf(rows, (row) => [row < 2 ? 'open' : 'paused', 1]);
  expect(spans.map(({ name, fromMs, toMs }) => [name, (toMs - fromMs) / 1_000])).toEqual([
    ['open', 10],
    ['paused', 5],
    ['paused', 5],
  ]);
});

test.each([
  [percent(0.9999), '99.9 %'],
  [percent(1), '100.0 %'],
  [percent(0.0001), 'under 0.1 %'],
  [percent(0), '0.0 %'],
  [short(0.123), '0.12'],
  [short(12.34), '12.3'],
  [short(1_234.5), '1,235'],
  [duration(0.25), '250 ms'],
  [duration(75), '75 s'],
  [duration(5_400), '1 h 30 min'],
  [money(8_850_000, 'EUR'), '88,500.00 EUR'],
  [money(-1_234_567, 'JPY'), '-1,234,567 JPY'],
  [money(5, 'EUR'), '0.05 EUR'],
])('%s is written as %s', (written, expected) => {
  expect(written).toBe(expected);
});
