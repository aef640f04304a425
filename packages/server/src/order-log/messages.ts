/** What the main thread and the writer's thread tell each other. Plain data: it is cloned on the way. */
import { OrderLogCorruptError, OrderLogError, type OrderLogErrorCode } from './errors.ts';
import type { LogOwner } from './lock.ts';
import type { RecoveryReport } from './recovery.ts';
import type { Refusal, WriterStats } from './writer.ts';

export interface WriterThreadData {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly preallocateRetryMs: number;
  /** URL of a module that exports `files: Files`. */
  readonly filesModule?: string;
}

/** Frames, ready to be completed and written (`startFrame`); or the wish to end. */
export type ToWriter = { readonly kind: 'append'; readonly frames: Uint8Array } | { readonly kind: 'close' };

/** An error as plain data. */
export interface PlainError {
  readonly code: OrderLogErrorCode;
  readonly message: string;
  /** The system's code, such as `EIO`. */
  readonly systemCode?: string;
  readonly place?: { readonly file: string; readonly offset: number; readonly lsn: number };
}

export interface Opened {
  readonly kind: 'opened';
  readonly logId: string;
  readonly recovery: RecoveryReport;
  readonly uncleanOwner?: LogOwner;
}

export interface Committed {
  readonly kind: 'committed';
  /** Frames that this answers, in the order they were sent. */
  readonly frames: number;
  readonly firstLsn: number;
  readonly durableLsn: number;
  readonly refusals: readonly Refusal[];
  readonly stats: WriterStats;
}

/** The end: of the frames without an answer, those with an LSN up to `durableLsn` are on disk. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: PlainError;
  readonly firstLsn: number;
  readonly durableLsn: number;
  readonly refusals: readonly Refusal[];
}

export type FromWriter =
  | Opened
  | Committed
  | Failed
  | { readonly kind: 'notOpened'; readonly error: PlainError }
  | { readonly kind: 'closed'; readonly stats: WriterStats };

function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)) return error.code;
  return systemCodeOf(error.cause);
}

export function toPlainError(error: unknown): PlainError {
  const code = error instanceof OrderLogError ? error.code : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  const systemCode = systemCodeOf(error);
  const place =
    error instanceof OrderLogCorruptError ? { file: error.file, offset: error.offset, lsn: error.lsn } : undefined;
  return {
    code,
    message,
    ...(systemCode === undefined ? {} : { systemCode }),
    ...(place === undefined ? {} : { place }),
  };
}

export function fromPlainError(plain: PlainError): OrderLogError {
  if (plain.place !== undefined) return new OrderLogCorruptError(plain.place, plain.message);
  if (plain.systemCode === undefined) return new OrderLogError(plain.code, plain.message);
  const cause = Object.assign(new Error(plain.systemCode), { code: plain.systemCode });
  return new OrderLogError(plain.code, plain.message, { cause });
}
