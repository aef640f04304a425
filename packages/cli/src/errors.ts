import { EXIT, type ExitCode } from './exit-codes.ts';

export interface FixableErrorDetails {
  /** What did not work, one sentence without a full stop. */
  readonly what: string;
  /** Why, as far as it is known; may have several lines. */
  readonly why?: string;
  /** What the user can do about it. */
  readonly fix?: string;
  readonly exitCode: ExitCode;
  /** The server's problem code, e.g. `wrong_phase`. */
  readonly problemCode?: string;
  /** A page that says more. */
  readonly page?: string;
  readonly cause?: unknown;
}

/** Something the user, not a developer, can put right. Whatever is thrown and is not one of these is a bug. */
export class FixableError extends Error {
  override readonly name = 'FixableError';
  readonly details: FixableErrorDetails;

  constructor(details: FixableErrorDetails) {
    super(details.why === undefined ? details.what : `${details.what}: ${details.why}`, { cause: details.cause });
    this.details = details;
  }

  get exitCode(): ExitCode {
    return this.details.exitCode;
  }
}

/** The user (or the system) asked to stop while something was being done. */
export class InterruptedError extends FixableError {
  constructor(what = 'Interrupted') {
    super({ what, exitCode: EXIT.interrupted });
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or driver error (`ECONNREFUSED`), looked for in its causes as well. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return error.errors.map(codeOf).find((code) => code !== undefined);
  return codeOf(error.cause);
}

const SYSTEM_FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'it belongs to somebody else, or is not writable',
  EPERM: 'the system does not permit it',
  EROFS: 'the disk is mounted read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EDQUOT: 'your quota on this disk is used up',
};

/** Files that cannot be read or written are the user's to put right, wherever in fest that shows; the rest stays as it is. */
export function explainSystemError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FixableError || !('path' in error)) return error;
  const why = SYSTEM_FAULTS[codeOf(error) ?? ''];
  if (why === undefined) return error;
  return new FixableError({
    what: `${String(error.path)} cannot be used`,
    why,
    fix: 'Correct that, or use another folder: fest -C <folder> …',
    exitCode: EXIT.unreachable,
    cause: error,
  });
}
