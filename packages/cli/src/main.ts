import { CommanderError } from 'commander';
import type { Context } from './context.ts';
import { explainSystemError, FixableError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { renderBug, renderError, renderErrorDocument } from './render/error.ts';

/** Runs one command line. Never throws: whatever happens becomes text on stderr and an exit code. */
export async function main(args: readonly string[], context: Context): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, args, context);
  }
}

function report(thrown: unknown, args: readonly string[], context: Context): ExitCode {
  const error = explainSystemError(thrown);
  // commander has already written its message; it ends with 1 for a wrong command line, and with 0 after a help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof FixableError)) {
    context.stderr.write(renderBug(error, args));
    return EXIT.bug;
  }
  const text = args.includes('--json') ? renderErrorDocument(error) : renderError(error, context.colour.stderr);
  context.stderr.write(text);
  return error.exitCode;
}
