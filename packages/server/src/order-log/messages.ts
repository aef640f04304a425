/** What the main thread and the writer's thread tell each other. Plain data: it is cloned on the way. */
import { type Damage, OrderLogCorruptError, OrderLogError, type OrderLogErrorCode } from './errors.ts';
import type { LogOwner } from './lock.ts';
import type { RecoveryReport } from './recovery.ts';
import type { FinishedSegment } from './trimming.ts';
import type { Refusal, WriterStats } from './writer.ts';

export interface WriterThreadData {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly preallocateRetryMs: number;
  readonly checkpointLogBytes: number;
  /** URL of a module that exports `files: Files`. */
  readonly filesModule?: string;
}

export type ToWriter =
  /** Frames, ready to be completed and written (`startFrame`). */
  | { readonly kind: 'append'; readonly frames: Uint8Array }
  /** Which segments may go? Answered by `trimmable`, once checkpoints replace them. */
  | { readonly kind: 'prepareTrim'; readonly throughLsn: number }
  /** Answered by `segmentRemoved`. */
  | { readonly kind: 'removeSegment'; readonly segmentNumber: number }
  | { readonly kind: 'close' };

/** Answers to what is asked one at a time. */
export type TrimAnswer =
  | { readonly kind: 'trimmable'; readonly segments: readonly FinishedSegment[]; readonly problem?: PlainError }
  | { readonly kind: 'segmentRemoved'; readonly problem?: PlainError };

/** An error as plain data. */
export interface PlainError {
  readonly code: OrderLogErrorCode;
  readonly message: string;
  /** The system's code, such as `EIO`. */
  readonly systemCode?: string;
  readonly damage?: Damage;
}

export interface Opened {
  readonly kind: 'opened';
  readonly logId: string;
  readonly recovery: RecoveryReport;
  readonly stats: WriterStats;
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
  | TrimAnswer
  | { readonly kind: 'stats'; readonly stats: WriterStats }
  | { readonly kind: 'notOpened'; readonly error: PlainError }
  | { readonly kind: 'closed'; readonly stats: WriterStats };

function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)) return error.code;
  return systemCodeOf(error.cause);
}

function damageOf({ file, offset, lsn, what }: OrderLogCorruptError): Damage {
  return { file, offset, lsn, what };
}

export function toPlainError(error: unknown): PlainError {
  const code = error instanceof OrderLogError ? error.code : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  const systemCode = systemCodeOf(error);
  const damage = error instanceof OrderLogCorruptError ? damageOf(error) : undefined;
  return {
    code,
    message,
    ...(systemCode === undefined ? {} : { systemCode }),
    ...(damage === undefined ? {} : { damage }),
  };
}

export function fromPlainError(plain: PlainError): OrderLogError {
  if (plain.damage !== undefined) return new OrderLogCorruptError(plain.damage, plain.message);
  if (plain.systemCode === undefined) return new OrderLogError(plain.code, plain.message);
  const cause = Object.assign(new Error(plain.systemCode), { code: plain.systemCode });
  return new OrderLogError(plain.code, plain.message, { cause });
}
