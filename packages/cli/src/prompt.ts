import { createInterface } from 'node:readline/promises';
import type { Context } from './context.ts';
import { FixableError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import type { Environment } from './profiles.ts';
import { createStyle } from './render/style.ts';

/** Asks for one line on stderr. Only call it when stdin is a terminal. */
export async function ask(
  context: Context,
  question: string,
  options: { readonly hidden?: boolean } = {},
): Promise<string> {
  const { Writable } = await import('node:stream');
  let muted = false;
  const screen = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) context.stderr.write(chunk.toString());
      done();
    },
  });
  // A full screen that was there before has let go of the keyboard, and nothing else keeps the process waiting for an answer.
  keepWaitingFor(context.stdin.stream);
  const lines = createInterface({ input: context.stdin.stream, output: screen, terminal: true });
  const cancelled = new Promise<never>((_, reject) => {
    // Ctrl-C and Ctrl-D both mean no.
    const giveUp = (): void => {
      context.stderr.write('\n');
      reject(cancel());
    };
    lines.once('SIGINT', giveUp);
    lines.once('close', giveUp);
  });
  try {
    const answer = lines.question(question);
    muted = options.hidden === true;
    const text = await Promise.race([answer, cancelled]);
    if (options.hidden === true) context.stderr.write('\n');
    return text;
  } finally {
    cancelled.catch(() => {});
    lines.removeAllListeners('close');
    lines.close();
  }
}

/** Only terminals and pipes can be let go of. */
function keepWaitingFor(stream: NodeJS.ReadableStream & { ref?: () => unknown }): void {
  stream.ref?.();
}

/** Where something is about to be changed, for whoever has several environments. */
export interface ChangedPlace {
  readonly environment?: Environment | undefined;
}

export interface ModerateChange extends ChangedPlace {
  readonly effect: string;
  /** `--yes` was given. */
  readonly yes: boolean;
}

/** Fails when nobody can be asked and `--yes` is not there. For commands that have work to do before they ask. */
export function requireModerate(context: Context, { effect, yes }: ModerateChange): void {
  if (yes || context.stdin.isTTY) return;
  throw new FixableError({
    what: 'Not confirmed',
    why: `${effect} There is no terminal to ask on.`,
    fix: 'Add --yes to go ahead.',
    exitCode: EXIT.usage,
  });
}

/**
 * Asks y/N before something that is felt but can be undone. In a production environment its name has to be typed: a y is typed
 * before one has read where.
 */
export async function confirmModerate(context: Context, options: ModerateChange): Promise<void> {
  requireModerate(context, options);
  const { environment } = options;
  tellEnvironment(context, environment);
  if (options.yes) return;
  if (environment?.production === true) {
    const answer = await ask(context, `${options.effect}\nType “${environment.name}” to go ahead: `);
    if (answer.trim() !== environment.name) throw cancel();
    return;
  }
  const answer = await ask(context, `${options.effect} Go ahead? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw cancel();
}

export interface SevereChange extends ChangedPlace {
  readonly effect: string;
  /** What may be typed. */
  readonly accepted: readonly string[];
  /** What `--confirm` was given. */
  readonly confirm: string | undefined;
}

/** Fails when nobody can be asked and `--confirm` is not there, or names something else. */
export function requireSevere(context: Context, { accepted, confirm, effect }: SevereChange): void {
  if (confirm === undefined && !context.stdin.isTTY) {
    throw new FixableError({
      what: 'Not confirmed',
      why: `${effect} There is no terminal to ask on.`,
      fix: `Add --confirm ${accepted[0] ?? ''} to go ahead.`,
      exitCode: EXIT.usage,
    });
  }
  if (confirm !== undefined && !accepted.includes(confirm)) {
    throw new FixableError({
      what: `--confirm ${confirm} does not name what would be changed`,
      fix: `It must be ${wantedOf(accepted)}.`,
      exitCode: EXIT.usage,
    });
  }
}

/** Has the name typed before something that cannot be undone. */
export async function confirmSevere(context: Context, options: SevereChange): Promise<void> {
  requireSevere(context, options);
  const { accepted, confirm, effect } = options;
  tellEnvironment(context, options.environment);
  if (confirm !== undefined) return;
  const answer = await ask(context, `${effect}\nType ${wantedOf(accepted)} to go ahead: `);
  if (!accepted.includes(answer.trim())) throw cancel();
}

function wantedOf(accepted: readonly string[]): string {
  return accepted.map((name) => `“${name}”`).join(' or ');
}

/** Says where something is changed, before it is; nothing when no environment was chosen. */
export function tellEnvironment(
  { stderr, colour }: Pick<Context, 'stderr' | 'colour'>,
  environment: Environment | undefined,
): void {
  if (environment === undefined) return;
  const { bold, red } = createStyle(colour.stderr);
  const { name, production } = environment;
  stderr.write(`Environment: ${production ? red(bold(name)) : bold(name)}${production ? ' (production)' : ''}\n`);
}

function cancel(): FixableError {
  return new FixableError({ what: 'Cancelled; nothing was changed', exitCode: EXIT.cancelled });
}
