/** The live view of a load test as text: `frames/*.txt` are what is seen. */
import { describe, expect, test } from 'vitest';
import { BENCH_AT, benchProgress, benchRow, benchRows, NO_LATENCIES } from '../../../test-support/bench-result.ts';
import { textWidth } from '../../../tui/cells.ts';
import { type Line, paintLine, plainText } from '../../../tui/line.ts';
import { createTheme } from '../../../tui/theme.ts';
import { drawScreen } from './screen.ts';
import { INITIAL_STATE, takeKey, takeLine, takeProgress, type ViewState } from './view-state.ts';

const NOW = Date.parse(BENCH_AT) + 48_000;
const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 50 },
] as const;

const running = (change: Parameters<typeof benchProgress>[0] = {}): ViewState =>
  takeProgress(takeLine(INITIAL_STATE, '20,000 accounts are ready.'), benchProgress(change));

/** Much goes wrong in the last second. */
function failing(): ViewState {
  const row = benchRow(47, { unexpected: 4, dropped: 120, cpu: { ...saturated(), others: 0.3 } });
  const totals = { ...benchProgress().totals, unexpected: 4, dropped: 1_204, oversold: 2 };
  return running({ row, rows: [...benchRows(47), row], totals });
}

function saturated() {
  const { cpu } = benchRow(47);
  if (cpu === null) throw new Error('there is one');
  return { ...cpu, generator: 0.7, stolen: 0.21 };
}

/** Of a server elsewhere nothing is known but what k6 sees. */
function remote(): ViewState {
  const unknown = { cpu: null, server: null, sale: null } as const;
  const rows = benchRows(48).map((row) => ({ ...row, ...unknown }));
  return running({ rows, row: rows.at(-1) ?? null });
}

/** A second in which nobody asked for anything. */
function silent(): ViewState {
  const nothing = { requests: 0, refused: 0, purchases: 0, latency: NO_LATENCIES, endpoints: {} } as const;
  const row = benchRow(47, nothing);
  return running({ row, rows: [...benchRows(47), row] });
}

const preparing: ViewState = takeProgress(
  takeLine(takeLine(INITIAL_STATE, 'k6 v2.2.0 from PATH.'), '5,000 of 20,000 accounts.'),
  benchProgress({ stage: 'preparing', doing: 'signing up buyers', plannedMs: null, row: null, rows: [] }),
);

const SCENES: Readonly<Record<string, ViewState>> = {
  running: running(),
  failing: failing(),
  remote: remote(),
  silent: silent(),
  preparing,
  starting: INITIAL_STATE,
  quitting: takeKey(running(), 'q', NOW).state,
  auditing: running({ stage: 'auditing', doing: 'comparing the order logs with MySQL' }),
};

function draw(state: ViewState, size: { columns: number; rows: number }, ascii = false): readonly Line[] {
  return drawScreen({ state, theme: createTheme({ ascii, colour: false }), ...size, nowMs: NOW });
}

const textOf = (lines: readonly Line[]): string => lines.map(plainText).join('\n');

describe.each(Object.entries(SCENES))('%s', (name, state) => {
  describe.each(SIZES)('at $columns×$rows', (size) => {
    test.each([false, true])('fills the screen, and is what the file shows (ascii: %s)', async (ascii) => {
      const lines = draw(state, size, ascii);
      expect(lines).toHaveLength(size.rows);
      expect([...new Set(lines.map((line) => textWidth(plainText(line))))]).toEqual([size.columns]);
      const text = lines.map((line) => plainText(line).trimEnd()).join('\n');
      expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
      if (ascii) expect(text).toMatch(/^[\x20-\x7e\n]*$/);
      const file = `frames/${name}-${size.columns}x${size.rows}${ascii ? '-ascii' : ''}.txt`;
      await expect(`${text}\n`).toMatchFileSnapshot(file);
    });
  });
});

test('k6’s latencies stand beside those of the servers, and what lies between them below', () => {
  const row = benchRow(47);
  const latency = { ...row.latency, p50Ms: 3, p95Ms: 8, p99Ms: 20 };
  const server = row.server === null ? null : { ...row.server, p50Ms: 1, p99Ms: 7 };
  const text = textOf(draw(running({ row: { ...row, latency, server } }), SIZES[0]));
  expect(text).toMatch(/k6 measures .* 3\.0 ms +8\.0 ms +20 ms/);
  expect(text).toMatch(/servers measure .* 1\.0 ms +– +7\.0 ms +–/);
  // The slowest of the one are not the slowest of the other.
  expect(text).toMatch(/between them +– +2\.0 ms +– +– +–/);
});

test('a faster clock of k6 is no time below zero', () => {
  const row = benchRow(47);
  const latency = { ...row.latency, p50Ms: 1, p99Ms: 2 };
  const server = row.server === null ? null : { ...row.server, p50Ms: 4, p99Ms: 4 };
  expect(textOf(draw(running({ row: { ...row, latency, server } }), SIZES[0]))).toMatch(
    /between them +– +0\.0 ms +– +–/,
  );
});

test('what must be zero and is not is an alarm, and is said in words', () => {
  const lines = draw(SCENES.failing ?? INITIAL_STATE, SIZES[2]);
  const alarms = lines.flat().filter(({ style }) => style === 'alarm');
  expect(alarms.map(({ text }) => text)).toEqual(['4', '1,204', '2']);
  expect(textOf(lines)).toContain('DROPPED 1,204 visits: no latency claim.');
  expect(textOf(lines)).toContain('k6 has no processor to spare.');
  const calm = draw(SCENES.running ?? INITIAL_STATE, SIZES[2]).flat();
  expect(calm.filter(({ style }) => style === 'alarm' || style === 'bad')).toEqual([]);
});

test('no warning hides another, however narrow the screen is', () => {
  const text = textOf(draw(SCENES.failing ?? INITIAL_STATE, SIZES[0]));
  for (const warning of ['OVERSOLD by 2', '4 unexpected', 'DROPPED 1,204', 'k6 has no processor to spare.'])
    expect(text).toContain(warning);
});

test('k6 is said to be starved by the rule of the verdict: also with an idle processor, when it takes what others left', () => {
  const row = benchRow(47);
  const said = (generator: number, others: number): string => {
    const cpu = { processors: 2, generator, observer: 0, processes: {}, others, stolen: 0 };
    return textOf(draw(running({ row: { ...row, cpu } }), SIZES[0]));
  };
  // More than a twentieth of the machine is idle in all of them.
  expect(said(0.17, 1.6)).not.toContain('no processor to spare');
  expect(said(1.78, 0)).not.toContain('no processor to spare');
  expect(said(1.81, 0)).toContain('k6 has no processor to spare.');
});

test.each([
  ['preparing', 'nothing was measured yet'],
  ['running', 'Ending k6, then the audit.'],
  ['ending', 'when k6 has ended'],
  ['auditing', 'What was measured is kept. Press again to leave without the audit.'],
] as const)('what a second press does while %s is said as it is then', (stage, words) => {
  const quitting = takeKey(running({ stage }), 'q', NOW).state;
  const footer = draw(quitting, SIZES[0]).map(plainText).at(-1)?.trimEnd() ?? '';
  expect(footer).toContain(words);
  expect(footer.length).toBeLessThanOrEqual(80);
  expect(footer).toMatch(/\.$/);
});

test('the last second is that of the load when the audit runs', () => {
  expect(textOf(draw(SCENES.auditing ?? INITIAL_STATE, SIZES[0]))).toContain('last second of load');
  expect(textOf(draw(SCENES.running ?? INITIAL_STATE, SIZES[0]))).not.toContain('last second of load');
});

test('what is not known is a dash, never a zero', () => {
  const text = textOf(draw(SCENES.remote ?? INITIAL_STATE, SIZES[1]));
  expect(text).toMatch(/servers measure +– +– +– +– +–/);
  expect(text).toContain('waiting –');
  expect(text).toContain('sold –');
  expect(text).toContain('processors: not measured');
  const quiet = textOf(draw(SCENES.silent ?? INITIAL_STATE, SIZES[0]));
  expect(quiet).toMatch(/k6 measures +0\.0 +– +– +– +–/);
});

test('a smaller terminal is told what is needed, and that the run goes on', () => {
  const text = textOf(draw(running(), { columns: 60, rows: 20 }));
  expect(text).toContain('This terminal has 60×20 cells;');
  expect(text).toContain('The run goes on.');
});

test('without colour there are no codes of colour; texts of others move no cursor', () => {
  const evil = takeLine(running({ doing: 'evil \u001b[2J' }), 'said \u001b]0;x\u0007 \u202e');
  const lines = draw(evil, SIZES[2]).map((line) => paintLine(line, false));
  const codes = lines.join('').split('\u001b').slice(1);
  expect([...new Set(codes.map((code) => /^\[([\d;]*)m/.exec(code)?.[1]))].toSorted()).toEqual(['0', '1', '2', '7']);
  expect(lines.join('')).not.toMatch(/[\u202e]/);
  expect(lines.join('')).not.toContain('\u0007');
});
