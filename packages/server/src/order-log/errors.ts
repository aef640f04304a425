/**
 * What can go wrong with the order log. Match on `code`:
 *
 * - `refused`: this record will never be written; `reason` says why. The caller is wrong or late.
 * - `full`: no room now (disk, or too many appends pending). Nothing was written; try again later.
 * - `failed`: a write or fdatasync failed. **Outcome unknown**: the record may or may not be there after a restart.
 *   The process must stop, because only a restart re-reads what is really on disk.
 * - `closed`: the log was closed before this append was accepted. Nothing was written.
 * - `locked`: another process has this log open.
 * - `corrupt`: records that were durable cannot be read any more.
 * - `trimmed`: these records were removed from the log on purpose.
 * - `notTrimmed`: a trim went wrong or makes no sense; what it did not remove is still there, and the log goes on.
 */
export type OrderLogErrorCode =
  | 'refused'
  | 'full'
  | 'failed'
  | 'closed'
  | 'locked'
  | 'corrupt'
  | 'trimmed'
  | 'notTrimmed';

/**
 * - `ticketAlreadySold`: the log has an order with one of these tickets.
 * - `orderExists`: the log has this order already, with other tickets.
 * - `beyondCapacity`: a ticket number above the capacity that the record itself names.
 * - `staleEpoch`: an order or an intent of an epoch of its sale that is over in this log, since `epochStarted` is in it.
 * - `malformed`: the record is not what its type says.
 */
export type RefusalReason = 'ticketAlreadySold' | 'orderExists' | 'beyondCapacity' | 'staleEpoch' | 'malformed';

export class OrderLogError extends Error {
  readonly code: OrderLogErrorCode;

  constructor(code: OrderLogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OrderLogError';
    this.code = code;
  }
}

/** The record was not written, and never will be as it is. */
export class OrderLogRefusedError extends OrderLogError {
  readonly reason: RefusalReason;
  /** With `ticketAlreadySold` and `staleEpoch`: every ticket is held by this very order, so it is already in the log. */
  readonly sameOrder: boolean;

  constructor(reason: RefusalReason, message: string, sameOrder = false) {
    super('refused', message);
    this.name = 'OrderLogRefusedError';
    this.reason = reason;
    this.sameOrder = sameOrder;
  }
}

/** Where reading stopped, and why. */
export interface Damage {
  /** Absolute or relative path, as the directory was given. */
  readonly file: string;
  /** Byte offset in that file. */
  readonly offset: number;
  /** The first record that is missing. */
  readonly lsn: number;
  /** The reason in plain words. */
  readonly what: string;
}

/** Durable records cannot be read any more. Nothing was changed on disk. */
export class OrderLogCorruptError extends OrderLogError {
  readonly file: string;
  readonly offset: number;
  readonly lsn: number;
  readonly what: string;

  constructor(damage: Damage, message: string) {
    super('corrupt', message);
    this.name = 'OrderLogCorruptError';
    this.file = damage.file;
    this.offset = damage.offset;
    this.lsn = damage.lsn;
    this.what = damage.what;
  }
}
