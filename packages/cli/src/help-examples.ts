import { EXIT_CODE_MEANINGS, type ExitCode } from './exit-codes.ts';

/**
 * What stands behind the options of a command's help.
 * @param examples command lines, each with what it is for
 * @param exitCodes those that a script has to tell apart
 */
export function examplesHelp(
  examples: readonly (readonly [commandLine: string, what: string])[],
  exitCodes: readonly ExitCode[],
): string {
  const width = Math.max(...examples.map(([commandLine]) => commandLine.length));
  const meanings = EXIT_CODE_MEANINGS.filter(({ code }) => exitCodes.includes(code));
  return [
    '',
    'Examples:',
    ...examples.map(([commandLine, what]) => `  ${commandLine.padEnd(width)}  ${what}`),
    '',
    'Exit codes:',
    ...meanings.map(({ code, meaning }) => `  ${String(code).padEnd(3)}  ${meaning}`),
  ].join('\n');
}
