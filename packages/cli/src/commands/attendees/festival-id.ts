import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

/** A festival id from the command line. */
export function parseFestivalId(text: string): number {
  const id = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id;
  throw new FixableError({
    what: `“${text}” is not a festival id`,
    why: 'ids are whole numbers from 1 on',
    fix: '`fest sale list --json` shows them.',
    exitCode: EXIT.usage,
  });
}
