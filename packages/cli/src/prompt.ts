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

/** Where something is about to be changed, for whoever has several environments. */
export interface ChangedPlace {
  readonly environment?: Environment | undefined;
}

/**
 * Asks y/N before something that is felt but can be undone. In a production environment its name has to be typed: a y is typed
 * before one has read where.
 */
export async function confirmModerate(
  context: Context,
  options: { readonly effect: string; readonly yes: boolean } & ChangedPlace,
): Promise<void> {
  const { environment } = options;
  if (options.yes) return tellEnvironment(context, environment);
  if (!context.stdin.isTTY) {
    throw new FixableError({
      what: 'Not confirmed',
      why: `${options.effect} There is no terminal to ask on.`,
      fix: 'Add --yes to go ahead.',
      exitCode: EXIT.usage,
    });
  }
  tellEnvironment(context, environment);
  if (environment?.production === true) {
    const answer = await ask(context, `${options.effect}\nType “${environment.name}” to go ahead: `);
    if (answer.trim() !== environment.name) throw cancel();
    return;
  }
  const answer = await ask(context, `${options.effect} Go ahead? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw cancel();
}

/** Has the name typed before something that cannot be undone. */
export async function confirmSevere(
  context: Context,
  options: {
    readonly effect: string;
    readonly accepted: readonly string[];
    readonly confirm: string | undefined;
  } & ChangedPlace,
): Promise<void> {
  const { accepted, confirm, effect } = options;
  const wanted = accepted.map((name) => `“${name}”`).join(' or ');
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
      fix: `It must be ${wanted}.`,
      exitCode: EXIT.usage,
    });
  }
  tellEnvironment(context, options.environment);
  if (confirm !== undefined) return;
  const answer = await ask(context, `${effect}\nType ${wanted} to go ahead: `);
  if (!accepted.includes(answer.trim())) throw cancel();
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
