/** The view on a pair of streams, and as lines. */
import { expect, test, vi } from 'vitest';
import { benchProgress, benchRow } from '../../../test-support/bench-result.ts';
import { createFakeContext } from '../../../test-support/fake-context.ts';
import { fakeTerminal } from '../../../test-support/fake-terminal.ts';
import { openBenchView } from './bench-view.ts';
import { VIEW_LIMITS } from './limits.ts';

const ENTERED = '\u001b[?1049h';
const LEFT = '\u001b[?1049l';
/** A busy machine draws late. */
const PATIENT = { timeout: 10_000, interval: 20 };

test('on a terminal it is a full screen; the first Ctrl-C asks to end, the second leaves with the terminal given back', async () => {
  const { terminal, input, text } = fakeTerminal({ columns: 100, rows: 30 });
  let nowMs = 0;
  const context = createFakeContext({ terminal, isTTY: true, env: { LANG: 'C.UTF-8' }, nowMs: () => nowMs });
  const asked: string[] = [];
  const view = openBenchView(context, {
    onQuit: () => asked.push('quit'),
    onLeave: () => asked.push(text().includes(LEFT) ? 'left' : 'left too early'),
  });
  view.line('k6 v2.2.0 from PATH.');
  view.show(benchProgress());
  await vi.waitFor(() => expect(text()).toContain('k6 measures'), PATIENT);
  expect(text()).toContain(ENTERED);
  input.write('\u0003');
  await vi.waitFor(() => expect(text()).toContain('Ending k6, then the audit.'), PATIENT);
  expect(asked).toEqual(['quit']);
  nowMs += VIEW_LIMITS.samePressMs;
  input.write('\u0003');
  await vi.waitFor(() => expect(asked).toEqual(['quit', 'left']), PATIENT);
  expect(context.text('stderr')).toBe('k6 v2.2.0 from PATH.\n');
});

test('what was said stays when the screen is gone, and what is said later is written at once', async () => {
  const { terminal, text } = fakeTerminal({ columns: 100, rows: 30 });
  const context = createFakeContext({ terminal, isTTY: true });
  const view = openBenchView(context, { onQuit: () => undefined });
  view.line('one');
  await view.close();
  expect(text()).toContain(LEFT);
  view.line('two\u001b[2J');
  await view.close();
  expect(context.text('stderr')).toBe('one\ntwo [2J\n');
});

test('elsewhere it is a line when a stage begins, then one every few seconds, on stderr', () => {
  let nowMs = 0;
  const context = createFakeContext({ nowMs: () => nowMs });
  const view = openBenchView(context, { onQuit: () => undefined });
  view.show(benchProgress({ stage: 'preparing', doing: 'signing up buyers', row: null, rows: [] }));
  view.show(benchProgress({ stage: 'preparing', doing: 'signing up buyers', row: null, rows: [] }));
  for (let second = 1; second <= 11; second += 1) {
    nowMs = second * 1_000;
    view.show(benchProgress({ elapsedMs: second * 1_000, row: benchRow(second) }));
  }
  view.show(benchProgress({ stage: 'auditing', doing: 'comparing' }));
  const begins = [
    'preparing: signing up buyers',
    '0:01 of 2:00: ',
    '0:06 of 2:00: ',
    '0:11 of 2:00: ',
    'auditing: comparing',
  ];
  const lines = context.text('stderr').trimEnd().split('\n');
  expect(lines).toHaveLength(begins.length);
  for (const [index, line] of lines.entries()) expect(line.startsWith(begins[index] ?? '?')).toBe(true);
  expect(context.text('stdout')).toBe('');
});

test('a load of which nothing is known yet is told of once', () => {
  let nowMs = 0;
  const context = createFakeContext({ nowMs: () => nowMs });
  const view = openBenchView(context, { onQuit: () => undefined });
  for (let second = 0; second <= 12; second += 1) {
    nowMs = second * 1_000;
    view.show(benchProgress({ doing: '6,300 visits', row: null, rows: [] }));
  }
  expect(context.text('stderr')).toBe('running: 6,300 visits\n');
});

test('a line has both latencies, and what goes wrong', () => {
  const context = createFakeContext();
  const row = benchRow(30, { server: null, cpu: null });
  openBenchView(context, { onQuit: () => undefined }).show(
    benchProgress({ row, totals: { ...benchProgress().totals, dropped: 7 } }),
  );
  expect(context.text('stderr')).toContain('(the servers say nothing)');
  expect(context.text('stderr')).toContain('DROPPED 7 visits');
  expect(context.text('stderr')).not.toContain('processors');
});
