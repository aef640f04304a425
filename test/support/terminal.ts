/** A real terminal under tmux: a shell in it, keys sent to it, its screen read. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PATIENCE_MS = 30_000;

export interface TerminalSession {
  /** What is on the screen now, without the spaces at the ends of lines. */
  screen(): Promise<string>;
  /** Waits until the screen is as it should be, and returns it. */
  until(fits: (screen: string) => boolean, what: string): Promise<string>;
  /** Types a line into the shell. */
  enter(line: string): Promise<void>;
  /** Presses keys, by tmux's names: `q`, `Escape`, `C-c`. */
  press(...keys: readonly string[]): Promise<void>;
  /** Types text as it is. */
  type(text: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** What a variable of tmux says about the terminal, e.g. `alternate_on`. */
  ask(variable: string): Promise<string>;
  /** The process that runs in the shell. */
  childPid(): Promise<number>;
  close(): Promise<void>;
}

/** A shell without a prompt of its own, in a tmux server of its own. */
export async function openTerminal(options: {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
}): Promise<TerminalSession> {
  const socket = `fest-${randomBytes(6).toString('hex')}`;
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('tmux', ['-u', '-L', socket, '-f', '/dev/null', ...args]);
    return stdout;
  };
  const size = ['-x', String(options.columns), '-y', String(options.rows)];
  const variables = Object.entries(options.env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  await run('tmux', ['-V']).catch(() => {
    throw new Error('tmux is not there; the tests of what needs a terminal run in it: apt-get install tmux');
  });
  await tmux('new-session', '-d', ...size, ...variables, 'env PS1="$ " sh');
  const screen = (): Promise<string> => tmux('capture-pane', '-p');
  const ask = async (variable: string): Promise<string> =>
    (await tmux('display-message', '-p', `#{${variable}}`)).trim();
  return {
    screen,
    async until(fits, what) {
      for (const deadlineMs = performance.now() + PATIENCE_MS; ; await sleep(50)) {
        const now = await screen();
        if (fits(now)) return now;
        if (performance.now() > deadlineMs) throw new Error(`not within ${PATIENCE_MS / 1_000} s: ${what}\n${now}`);
      }
    },
    async enter(line) {
      await tmux('send-keys', '-l', line);
      await tmux('send-keys', 'Enter');
    },
    async press(...keys) {
      await tmux('send-keys', ...keys);
    },
    async type(text) {
      await tmux('send-keys', '-l', text);
    },
    async resize(columns, rows) {
      await tmux('resize-window', '-x', String(columns), '-y', String(rows));
    },
    ask,
    async childPid() {
      const { stdout } = await run('pgrep', ['-P', await ask('pane_pid')]);
      return Number(stdout.trim().split('\n')[0]);
    },
    async close() {
      await tmux('kill-server').catch(() => undefined);
    },
  };
}
