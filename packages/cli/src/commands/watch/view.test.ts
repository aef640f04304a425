/** The screen as text: `frames/*.txt` are what an operator sees. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LIVE_AT, liveDocument, liveProcess, liveSale } from '../../test-support/live-documents.ts';
import { textWidth } from '../../tui/cells.ts';
import { type Line, paintLine, plainText } from '../../tui/line.ts';
import { createTheme } from '../../tui/theme.ts';
import { initialState, type WatchState } from './state.ts';
import { takeConnection, takeDocument, takeKey } from './update.ts';
import { drawScreen } from './view.ts';

const NOW = Date.parse(LIVE_AT);
const url = 'http://127.0.0.1:8080';
const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 50 },
] as const;

/** Two minutes of a sale: the line grows, then orders come in waves. */
function watching(overrides: Parameters<typeof liveDocument>[0] = {}, mayWrite = false): WatchState {
  let state = initialState({ url, mayWrite, saleId: undefined });
  state = takeConnection(state, { status: 'live', url }, NOW);
  const last = liveDocument(overrides);
  for (let ago = 120; ago > 0; ago -= 1) {
    const wave = Math.round(20 + 18 * Math.sin(ago / 9));
    const fleet = { ...last.fleet, ordersPerSecond: wave, requestsPerSecond: wave * 70, p99Ms: 8 + (ago % 13) };
    const sales = [liveSale({ ordersPerSecond: wave, waiting: 12_345 + ago * 40 })];
    state = takeDocument(state, { ...last, fleet, sales }, NOW - ago * 1_000);
  }
  return takeDocument(state, last, NOW);
}

function press(state: WatchState, ...keys: readonly string[]): WatchState {
  return keys.reduce((before, key) => takeKey(before, key, NOW).state, state);
}

/** Two minutes in which nobody has asked for anything. */
function idle(): WatchState {
  const none = { p50Ms: null, p95Ms: null, p99Ms: null, maxMs: null, latency: [], refusedPerSecondByCode: {} };
  const fleet = { ...liveDocument().fleet, ...none, requestsPerSecond: 0, ordersPerSecond: 0 };
  let state = takeConnection(initialState({ url, mayWrite: false, saleId: undefined }), { status: 'live', url }, NOW);
  for (let ago = 120; ago >= 0; ago -= 1) {
    const processes = [liveProcess({ requestsPerSecond: 0, p99Ms: null })];
    state = takeDocument(state, liveDocument({ fleet, processes }), NOW - ago * 1_000);
  }
  return state;
}

const lost = (state: WatchState): WatchState =>
  takeConnection(state, { status: 'lost', url, why: 'the line broke', retryAtMs: NOW + 9_000 }, NOW + 4_000);

const SILENT = [
  liveProcess(),
  liveProcess({ id: 'p-2', server: 'server-2', ageMs: 12_000, stale: true }),
  liveProcess({ id: 'p-3', server: 'server-3', worker: 1, leaving: true }),
];

const SCENES: Readonly<Record<string, { readonly state: () => WatchState; readonly laterMs?: number }>> = {
  normal: { state: () => watching() },
  connecting: { state: () => initialState({ url, mayWrite: false, saleId: undefined }) },
  stale: { state: () => watching(), laterMs: 5_000 },
  disconnected: { state: () => lost(watching()), laterMs: 6_000 },
  'silent-process': { state: () => watching({ processes: SILENT }) },
  incomplete: {
    state: () => {
      const redis = { status: 'down', latencyMs: null } as const;
      const { fleet } = liveDocument();
      return watching({ complete: false, fleet: { ...fleet, redis }, processes: [liveProcess({ redis })] });
    },
  },
  production: { state: () => watching({ environment: 'production' }) },
  dialog: {
    state: () => press(watching({ environment: 'production' }, true), ':', 'rate 20', '<enter>'),
  },
  close: { state: () => press(watching({}, true), ':', 'close', '<enter>', 'Day 1') },
  command: { state: () => press(watching({}, true), ':', 'max-active 40') },
  help: { state: () => press(watching(), '?') },
  filter: { state: () => press(watching(), '/', 'night') },
  sale: { state: () => press(watching(), '<enter>') },
  traffic: { state: () => press(watching(), 't') },
  'nothing-answered': { state: () => idle() },
  'production-by-profile': {
    state: () => ({ ...watching(), profile: { name: 'tickets', production: true } }),
  },
  held: { state: () => press(watching(), 'p'), laterMs: 2_000 },
};

const draw = (
  state: WatchState,
  options: { readonly columns: number; readonly rows: number; readonly ascii?: boolean; readonly laterMs?: number },
): Line[] => {
  const { columns, rows, ascii = false, laterMs = 0 } = options;
  return drawScreen({ state, columns, rows, nowMs: NOW + laterMs, theme: createTheme({ ascii, colour: true }) });
};

const asText = (lines: readonly Line[]): string => `${lines.map((line) => plainText(line).trimEnd()).join('\n')}\n`;

describe.each(SIZES)('$columns×$rows', ({ columns, rows }) => {
  test.each(Object.keys(SCENES))('%s', async (name) => {
    const { state, laterMs = 0 } = SCENES[name] ?? SCENES.normal ?? { state: () => watching() };
    for (const ascii of [false, true]) {
      const lines = draw(state(), { columns, rows, ascii, laterMs });
      const file = `frames/${name}-${columns}x${rows}${ascii ? '-ascii' : ''}.txt`;
      await expect(asText(lines)).toMatchFileSnapshot(file);
      expect(lines).toHaveLength(rows);
      expect(lines.map((line) => textWidth(plainText(line))).filter((width) => width !== columns)).toEqual([]);
      if (ascii) expect(asText(lines)).toMatch(/^[\x20-\x7e\n]*$/);
    }
  });
});

test('the screen in docs/cli.md is the one that is drawn', () => {
  const page = readFileSync(new URL('../../../../../docs/cli.md', import.meta.url), 'utf8');
  expect(page).toContain(`\`\`\`text\n${asText(draw(watching(), { columns: 80, rows: 24 }))}\`\`\`\n`);
});

test('every size from the smallest on is filled exactly', () => {
  const state = press(watching({ processes: SILENT }), '?');
  for (const columns of [80, 81, 99, 100, 131, 159, 160, 161, 240, 400]) {
    for (const rows of [24, 25, 35, 36, 48, 90]) {
      const lines = draw(state, { columns, rows });
      expect(lines).toHaveLength(rows);
      const wrong = lines.filter((line) => textWidth(plainText(line)) !== columns);
      expect(wrong.map(plainText), `${columns}×${rows}`).toEqual([]);
    }
  }
});

test.each([
  [79, 24],
  [80, 23],
  [20, 5],
  [1, 1],
])('%i×%i is too small, and says so in the space there is', (columns, rows) => {
  const lines = draw(watching(), { columns, rows });
  expect(lines).toHaveLength(rows);
  for (const line of lines) expect(textWidth(plainText(line))).toBe(columns);
  if (columns >= 30) expect(asText(lines)).toContain('fest watch needs 80×24');
});

test('production is a word, not only a colour', () => {
  const [bar = []] = draw(watching({ environment: 'production' }), { columns: 80, rows: 24 });
  expect(plainText(bar)).toContain('PRODUCTION');
  expect(new Set(bar.map(({ style }) => style))).toEqual(new Set(['alarm']));
});

test('old figures are grey, all of them, and their age stands in the bar', () => {
  const lines = draw(watching(), { columns: 80, rows: 24, laterMs: 5_000 });
  expect(plainText(lines[0] ?? [])).toContain('STALE 5 s old');
  const styles = lines.slice(3, -1).flatMap((line) => line.filter(({ text }) => text.trim() !== ''));
  expect(new Set(styles.map(({ style }) => style))).toEqual(new Set(['dim']));
});

test('a silent process is marked in words, with its age, and called out of every sum', () => {
  const text = asText(draw(watching({ processes: SILENT }), { columns: 80, rows: 24 }));
  expect(text).toContain('Silent: server-2; in no sum.');
  expect(text).toMatch(/server-2 +STALE 12 s/);
  expect(text).toContain('servers 1 ok, 1 leaving, 1 STALE');
});

test('a process that was killed and started anew is told apart from one that is gone', () => {
  const processes = [...SILENT, liveProcess({ id: 'p-4', server: 'server-2' })];
  const text = asText(draw(watching({ processes }), { columns: 80, rows: 24 }));
  expect(text).toContain('Silent: server-2 (started anew); in no sum.');
});

test('without colour nothing but weight and reversal is written', () => {
  const lines = draw(watching({ environment: 'production', processes: SILENT }), { columns: 120, rows: 40 });
  const codes = lines
    .map((line) => paintLine(line, false))
    .join('')
    .split('\u001b[')
    .slice(1)
    .map((part) => part.split('m')[0]);
  expect([...new Set(codes)].toSorted()).toEqual(['0', '1', '2', '7', '7;1']);
});

test('a name with escape codes cannot draw on the screen', () => {
  const name = 'Evil\u001b[2J\u0007\u202eName\n';
  const lines = draw(watching({ sales: [liveSale({ name, festivalTitle: name })] }), { columns: 120, rows: 40 });
  for (const code of ['\u001b', '\u0007', '\u202e']) expect(asText(lines)).not.toContain(code);
  for (const line of lines) expect(textWidth(plainText(line))).toBe(120);
});

test('more sales than rows: the selected one is always among those shown', () => {
  const sales = Array.from({ length: 60 }, (_, index) =>
    liveSale({ saleId: index + 1, name: `Sale number ${index + 1}` }),
  );
  let state = press(watching({ sales }), 'g');
  for (let row = 0; row < 59; row += 1) {
    state = press(state, 'j');
    expect(asText(draw(state, { columns: 80, rows: 24 }))).toMatch(
      new RegExp(`▶ +${row + 2}  Sale number ${row + 2} `),
    );
  }
});
