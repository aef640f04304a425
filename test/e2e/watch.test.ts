/**
 * `fest watch` in a real terminal, as an operator has it: the built command under tmux. It watches a server that speaks the
 * contract of `/operations/live` from this process; with `FEST_TEST_WATCH_DIR`, the stack that runs in that folder.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { liveDocument } from '@fest/cli/test-support/live-documents';
import { type LiveServer, startLiveServer } from '@fest/cli/test-support/live-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FEST } from '../support/spawned-stack.ts';
import { openTerminal, type TerminalSession } from '../support/terminal.ts';

const STACK = process.env.FEST_TEST_WATCH_DIR;
const BEFORE = 'what was here before';

let home: string;
let server: LiveServer | undefined;
let sending: NodeJS.Timeout | undefined;
let terminal: TerminalSession;
let fest: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'fest-watch-'));
  fest = `${process.execPath} ${FEST}`;
  if (STACK !== undefined) {
    fest += ` --dir ${STACK}`;
    return;
  }
  server = await startLiveServer({
    answer: (_method, path) =>
      path.endsWith('/admission')
        ? { status: 409, body: { code: 'wrong_phase', title: 'The sale is in another phase' } }
        : { status: 200, body: {} },
  });
  const send = (): void => server?.send(liveDocument({ at: new Date().toISOString() }));
  send();
  sending = setInterval(send, 1_000);
  fest += ` --url ${server.url}`;
  const session = { email: 'o@fest', accessToken: 'token', refreshToken: 'r', expiresAtMs: Date.now() + 3_600_000 };
  mkdirSync(join(home, '.config', 'fest'), { recursive: true });
  writeFileSync(join(home, '.config', 'fest', 'credentials.json'), JSON.stringify({ [server.url]: session }));
});

afterAll(async () => {
  clearInterval(sending);
  await server?.close();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(async () => {
  const env = { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', HOME: home, XDG_CONFIG_HOME: '', NODE_ENV: '' };
  terminal = await openTerminal({ columns: 80, rows: 24, env });
  await terminal.enter(`echo ${BEFORE}`);
});

afterEach(() => terminal.close());

async function start(args = ''): Promise<string> {
  await terminal.enter(`${fest} watch ${args}; echo ended with $?`);
  return terminal.until((screen) => /waiting .*admitted\/s/.test(screen), 'the tiles');
}

/** The shell is back, the screen from before is, lines are edited as before, and the cursor shows. */
async function expectRestored(exitCode: number): Promise<void> {
  const screen = await terminal.until((text) => text.includes(`ended with ${exitCode}`), 'the end');
  expect(screen).toContain(BEFORE);
  expect(screen).not.toContain('admitted/s');
  expect([await terminal.ask('alternate_on'), await terminal.ask('cursor_flag')]).toEqual(['0', '1']);
  await terminal.enter('clear; stty -a | tr ";" "\\n"');
  const settings = await terminal.until((text) => /-?icanon/.test(text), 'the settings of the line');
  for (const name of ['icanon', 'echo', 'isig', 'icrnl', 'opost'])
    expect(settings).toMatch(new RegExp(`(^|\\s)${name}`));
}

function linesOf(screen: string): readonly string[] {
  return screen.replace(/\n$/, '').split('\n');
}

/** The bar across the top, the keys at the bottom. */
function isFilled(screen: string, columns: number, rows: number): boolean {
  const lines = linesOf(screen);
  const [top = ''] = lines;
  return (
    lines.length === rows &&
    /^ fest watch .* UTC$/.test(top) &&
    top.length === columns - 1 &&
    lines.at(-1)?.startsWith(' ? help') === true
  );
}

test('shows the sale, follows the size of the terminal, explains its keys, and gives the terminal back', async () => {
  const first = await start();
  expect(linesOf(first)).toHaveLength(24);
  expect(first).toMatch(/^ fest watch .* live .*UTC/);
  expect(first).toContain('sold of capacity');
  expect(linesOf(first).at(-1)).toContain('? help');
  for (const [columns, rows] of [
    [200, 50],
    [120, 40],
    [80, 24],
  ] as const) {
    await terminal.resize(columns, rows);
    // The terminal changes first, and cuts what was there: only then does the screen follow.
    await terminal.until((text) => isFilled(text, columns, rows), `a screen of ${columns}×${rows}`);
    await sleep(1_500);
    const screen = await terminal.screen();
    expect(isFilled(screen, columns, rows), screen).toBe(true);
    expect(screen.match(/fest watch/g)).toHaveLength(1);
    expect(screen.match(/sold of capacity/g)).toHaveLength(1);
  }
  await terminal.resize(60, 20);
  await terminal.until((text) => text.includes('fest watch needs 80×24'), 'that it is too small');
  await terminal.resize(80, 24);
  await terminal.until((text) => text.includes('sold of capacity'), 'the tiles again');
  await terminal.press('?');
  await terminal.until((text) => text.includes('hold the picture still'), 'the help');
  await terminal.press('Escape');
  await terminal.until((text) => !text.includes('hold the picture still'), 'the screen without help');
  await terminal.press('q');
  await expectRestored(0);
});

describe('the terminal is given back', () => {
  test('after Ctrl-C', async () => {
    await start();
    await terminal.press('C-c');
    await expectRestored(0);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('after %s', async (signal) => {
    await start();
    process.kill(await terminal.childPid(), signal);
    await expectRestored(130);
  });
});

test('without a terminal nothing is drawn', async () => {
  await terminal.enter(`${fest} watch | cat; ${fest} watch < /dev/null; echo ended with $?`);
  const screen = await terminal.until((text) => text.includes('ended with 2'), 'the end');
  expect(screen).toContain('fest watch needs a terminal');
  expect(await terminal.ask('alternate_on')).toBe('0');
});

test('a change asks first, and what the server says to it stands in the events', async () => {
  await start('--write');
  await terminal.type(':rate 7');
  await terminal.press('Enter');
  const asked = await terminal.until((text) => text.includes('Go ahead'), 'the dialog');
  expect(asked).toContain('/s → 7/s');
  expect(asked).toContain('[Cancel]');
  await terminal.press('Enter');
  await terminal.until((text) => text.includes('cancelled, nothing was changed'), 'that nothing was changed');
  await terminal.type(':rate 7');
  await terminal.press('Enter');
  await terminal.until((text) => text.includes('Go ahead'), 'the dialog');
  await terminal.press('Tab');
  await terminal.until((text) => text.includes('[Go ahead]'), 'the choice');
  await terminal.press('Enter');
  const told = await terminal.until((text) => /done: rate/.test(text), 'what came of it');
  if (STACK === undefined) expect(told).toContain('ERROR sale 7: not done: rate');
  await terminal.press('q');
  await expectRestored(0);
});
