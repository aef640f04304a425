import type { Command } from 'commander';
import { type Candidate, completeWords, type DynamicKind } from '../completion/candidates.ts';
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import type { Context } from '../context.ts';
import { FixableError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** `fest completion <shell>`: the script that a shell loads. */
export function runCompletion(context: Context, shell: string): ExitCode {
  if (!isShell(shell)) {
    throw new FixableError({
      what: `There is no completion for “${shell}”`,
      fix: `There is one for ${SHELLS.join(', ')}.`,
      exitCode: EXIT.usage,
    });
  }
  context.stdout.write(COMPLETION_SCRIPTS[shell]);
  return EXIT.done;
}

/**
 * What the scripts ask: one candidate a line, its description behind a tab; a last line that begins with a colon says whether the
 * shell is to offer files.
 * @param words behind `fest`; the last one is being typed and may be empty
 */
export async function runComplete(context: Context, program: Command, words: readonly string[]): Promise<ExitCode> {
  const { candidates, dynamic, files } = completeWords(program, words);
  const typed = words.at(-1) ?? '';
  const found = dynamic === undefined ? [] : await listMore(context, dynamic, words);
  const all = [...candidates, ...found.filter(({ value }) => value.startsWith(typed))];
  const lines = all.map(({ value, description }) => `${value}\t${description}\n`);
  context.stdout.write(`${lines.join('')}:${files ? 'files' : 'none'}\n`);
  return EXIT.done;
}

async function listMore(context: Context, kind: DynamicKind, words: readonly string[]): Promise<readonly Candidate[]> {
  const { listDynamic } = await import('../completion/dynamic.ts');
  return listDynamic(context, kind, words);
}

function isShell(text: string): text is Shell {
  return SHELLS.some((shell) => shell === text);
}
