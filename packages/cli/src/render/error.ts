import type { FixableError } from '../errors.ts';
import { createStyle } from './style.ts';

/** What, why, how to fix, code and page, for people. */
export function renderError(error: FixableError, colour: boolean): string {
  const style = createStyle(colour);
  const { what, why, fix, problemCode, page } = error.details;
  const lines = [`${style.red('Error:')} ${style.bold(what)}`];
  if (why !== undefined && why !== '') lines.push(indent(why));
  if (fix !== undefined) lines.push(indent(fix));
  if (problemCode !== undefined)
    lines.push(style.dim(indent(`code: ${problemCode}${page === undefined ? '' : `, see ${page}`}`)));
  else if (page !== undefined) lines.push(style.dim(indent(`see ${page}`)));
  return `${lines.join('\n')}\n`;
}

/** The same for programs, one line. */
export function renderErrorDocument(error: FixableError): string {
  const { what, why, fix, exitCode, problemCode, page } = error.details;
  return `${JSON.stringify({ schema: 'fest.error/1', what, why, fix, exitCode, problemCode, page })}\n`;
}

/** For what should never happen. */
export function renderBug(error: unknown, args: readonly string[]): string {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    'This is a bug in fest, not something you did.',
    'Please report it with the following lines:',
    `  command: fest ${args.join(' ')}`,
    `  system: ${process.platform} ${process.arch}, Node ${process.version}`,
    indent(detail),
    '',
  ].join('\n');
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
