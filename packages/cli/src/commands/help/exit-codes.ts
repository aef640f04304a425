import type { Context, GlobalOptions } from '../../context.ts';
import { EXIT, EXIT_CODE_MEANINGS, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';

export function runHelpExitCodes(context: Context, options: GlobalOptions): ExitCode {
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.exit-codes/1', { exitCodes: EXIT_CODE_MEANINGS });
  } else {
    for (const { code, meaning } of EXIT_CODE_MEANINGS)
      context.stdout.write(`${String(code).padStart(3)}  ${meaning}\n`);
  }
  return EXIT.done;
}
