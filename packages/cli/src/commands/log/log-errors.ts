import { codeOf, FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

/** What the order log throws, for whoever has to deal with it. */
export async function explainLogError(error: unknown): Promise<unknown> {
  if (error instanceof FixableError) return error;
  const { OrderLogCorruptError, OrderLogError } = await import('@fest/server/order-log/errors');
  if (error instanceof OrderLogCorruptError) {
    return new FixableError({
      what: 'The order log is damaged',
      why: error.message,
      fix: '`fest log verify` names every damaged place and what to do about it.',
      exitCode: EXIT.checkFailed,
      cause: error,
    });
  }
  if (error instanceof OrderLogError) {
    return new FixableError({
      what: 'The order log cannot be used',
      why: error.message,
      fix: '`fest log ls` shows what is there, `fest log verify` whether it is whole.',
      exitCode: EXIT.refused,
      cause: error,
    });
  }
  if (codeOf(error) === 'ENOENT') {
    return new FixableError({
      what: 'A file of the order log is gone',
      why: error instanceof Error ? error.message : String(error),
      fix: 'Was it moved or trimmed just now? `fest log ls` shows what is there.',
      exitCode: EXIT.unreachable,
      cause: error,
    });
  }
  return error;
}
