import type { Context } from './context.ts';

/** Longer lines are cut there: whatever they are, they are refused by whoever reads them. */
const LINE_CHARACTERS_MAX = 8_192;

/** The lines of standard input, as they come; the last one also without its end. */
export async function* readLines({ stdin }: Pick<Context, 'stdin'>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stdin.stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
    for (const line of lines) yield line.replace(/\r$/, '').slice(0, LINE_CHARACTERS_MAX);
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}

/** The first line, for a secret that must stand neither in arguments nor in the environment; empty when there is none. */
export async function readSecretLine(context: Pick<Context, 'stdin'>): Promise<string> {
  for await (const line of readLines(context)) return line;
  return '';
}
