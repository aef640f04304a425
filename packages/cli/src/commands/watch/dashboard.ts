/** The dashboard as it runs: puts the line to the server, the state, the screen and the clock together. */
import type { Context, Terminal } from '../../context.ts';
import { FixableError, messageOf } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { callApiAuthenticated, type SessionHolder } from '../../session.ts';
import type { Settings } from '../../settings.ts';
import { startFrames } from '../../tui/frames.ts';
import { openFullScreen } from '../../tui/full-screen.ts';
import { paintLine } from '../../tui/line.ts';
import type { Theme } from '../../tui/theme.ts';
import type { Plan } from './intervention.ts';
import { LiveClient } from './live-client.ts';
import { initialState, say, type WatchState } from './state.ts';
import { takeConnection, takeDocument, takeKey } from './update.ts';
import { drawScreen } from './view.ts';

export interface DashboardOptions {
  readonly context: Context;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly session: SessionHolder;
  readonly urls: readonly string[];
  readonly theme: Theme;
  readonly mayWrite: boolean;
  readonly saleId: number | undefined;
}

/** What it ended with. */
type End = { readonly exitCode: ExitCode } | { readonly error: unknown };

export async function runDashboard(options: DashboardOptions): Promise<ExitCode> {
  const { context, settings, terminal, theme, urls, session, mayWrite, saleId } = options;
  let state: WatchState = initialState({ url: urls[0] ?? '', mayWrite, saleId, profile: settings.environment });
  const { promise, resolve: end } = Promise.withResolvers<End>();
  const screen = openFullScreen({
    terminal,
    draw: (size) =>
      drawScreen({ state, theme, ...size, nowMs: context.now() }).map((line) => paintLine(line, theme.colour)),
    onKey(name) {
      try {
        press(name);
      } catch (error) {
        end({ error });
      }
    },
  });
  const frames = startFrames(() => screen.refresh());
  const press = (name: string): void => {
    const { state: next, effect } = takeKey(state, name, context.now());
    state = next;
    if (effect.kind === 'quit') end({ exitCode: EXIT.done });
    if (effect.kind === 'carryOut') void carryOut(effect.plan);
    frames.soon();
  };
  const carryOut = async (plan: Plan): Promise<void> => {
    const outcome = await changeSale(options, state.connection.url, plan);
    state = say(state, { ...outcome, atMs: context.now(), saleId: plan.saleId });
    frames.soon();
  };
  const client = new LiveClient({
    urls,
    session,
    now: context.now,
    random: context.random,
    listener: {
      onDocument(document) {
        state = takeDocument(state, document, context.now());
        frames.later();
      },
      onConnection(connection) {
        state = takeConnection(state, connection, context.now());
        frames.later();
      },
      onRefused: (error) => end({ error }),
    },
  });
  const stopListening = context.onSignal(() => end({ exitCode: EXIT.interrupted }));
  client.run().catch((error: unknown) => end({ error }));
  screen.closed.catch((error: unknown) => end({ error }));
  try {
    const ended = await promise;
    if ('error' in ended) throw ended.error;
    return ended.exitCode;
  } finally {
    frames.stop();
    client.close();
    screen.close();
    // Only now is the terminal as it was, and errors can be read.
    await screen.closed.catch(() => undefined);
    stopListening();
  }
}

/** Sends a change; what came of it is told in the event log, never thrown. */
async function changeSale(
  { context, settings }: DashboardOptions,
  url: string,
  plan: Plan,
): Promise<{ readonly level: 'info' | 'error'; readonly text: string }> {
  const { method, path, body } = plan.request;
  const there: Settings = { ...settings, url: { ...settings.url, value: url } };
  try {
    await callApiAuthenticated(context, there, { method, path, ...(body === undefined ? {} : { body }) });
    return { level: 'info', text: `done: ${plan.what} is ${plan.to}, it was ${plan.from}` };
  } catch (error) {
    const code = error instanceof FixableError ? error.details.problemCode : undefined;
    const why = code === undefined ? messageOf(error) : `${messageOf(error)} (${code})`;
    return { level: 'error', text: `not done: ${plan.what} stays ${plan.from}: ${why}` };
  }
}
