/**
 * What Redis, the order logs, MySQL and the gateway say about a sale, gathered by `collect-evidence.ts` and judged by
 * `audit-sale.ts`. The sale may be running meanwhile; what was read in which order is in `collect-evidence.ts`.
 */
import type { BoundedList, SaleBooks } from './books.ts';
import type { UnreadableLine } from './gateway-statement.ts';
import type { LogState } from './log-tail.ts';
import type { Archive, AuditedSale, PendingRebuild } from './mysql-reading.ts';
import type { RedisReading, RedisSettings } from './redis-reading.ts';
import type { Tools } from './tools.ts';

/** What a buyer remembers having been told. */
export interface SucceededClaim {
  readonly paymentId: string;
  readonly orderId: string;
}

/** A store or the gateway. `skipped`: the caller said to leave it out. */
export type SourceState =
  | { readonly state: 'read' }
  | { readonly state: 'skipped' }
  | { readonly state: 'unreachable'; readonly why: string };

/**
 * An order log that was given, or that MySQL knows of.
 * - `notGiven`: MySQL knows it, nobody said where it is, and its server may have orders nobody else knows
 * - `retired`: MySQL knows it and has everything in it
 */
export interface LogSource {
  readonly state: LogState | 'notGiven' | 'retired';
  /** Undefined when nobody said where it is. */
  readonly directory: string | undefined;
  readonly logId: string | undefined;
  /** Name of its server as MySQL knows it. */
  readonly server: string | undefined;
  /** LSN of the first record that is there; above 1 when older segments were taken away. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** How far MySQL has it, in the snapshot that was compared; undefined when MySQL does not know it or was not read. */
  readonly appliedLsn: number | undefined;
  /** A server has it open. */
  readonly inUse: boolean;
  readonly problem: string | undefined;
  readonly damage: { readonly file: string; readonly offset: number; readonly lsn: number } | undefined;
}

/** What all sales of an audit have in common. */
export interface Sources {
  readonly redis: SourceState;
  readonly mysql: SourceState;
  readonly gateway: SourceState;
  /** In the order of `LogPlace.log`; those nobody gave at the end. */
  readonly logs: readonly LogSource[];
  /**
   * Every log that may have orders which nobody else knows was read to its end: what no log has does not exist, or is from a
   * time that only MySQL remembers.
   */
  readonly logsComplete: boolean;
  /** And from its beginning: what no log has does not exist at all. */
  readonly logsFromStart: boolean;
  /** The gateway's statement covers all servers. */
  readonly gatewayComplete: boolean;
  /** Lines of it that nobody can read. The payments that are named in them are not judged. */
  readonly unreadableLines: BoundedList<UnreadableLine>;
  /** For the commands that mend what is found. */
  readonly tools: Tools;
  /** Unix milliseconds of the audit's own clock. */
  readonly nowMs: number;
}

export type RedisEvidence =
  | { readonly status: 'read'; readonly reading: RedisReading }
  /** Redis was not asked. */
  | { readonly status: 'notRead' }
  | { readonly status: 'missing' }
  /** Its state changed hands while it was looked at, or is about to. */
  | { readonly status: 'unsettled'; readonly why: string };

/** A capture or refund that does not fit, noted while the statement was read. */
export interface CaptureNote {
  readonly row: number;
  readonly kind: 'amountDiffers' | 'capturedTwice';
  readonly amount: number;
  readonly currency: string;
}

/** What Redis sells by and what MySQL has, each read again at the end, where they differ. */
export interface SettingsDifference {
  readonly redis: RedisSettings;
  readonly mysql: Pick<AuditedSale, 'version' | 'capacity' | 'price' | 'limitPerBuyer'>;
  /** Of the same version, or for longer than a change takes to be in both. Else it may be one that is under way. */
  readonly lasting: boolean;
}

export interface SaleEvidence {
  readonly sources: Sources;
  readonly saleId: number;
  /** Undefined: MySQL was not read, or does not have it. */
  readonly sale: AuditedSale | undefined;
  readonly books: SaleBooks;
  readonly redis: RedisEvidence;
  readonly rebuild: PendingRebuild | undefined;
  /** Undefined: they agree, or one of both was not read. */
  readonly settings: SettingsDifference | undefined;
  /** Undefined when MySQL was not read. */
  readonly archive: Archive | undefined;
  readonly captureNotes: readonly CaptureNote[];
  /** Whether MySQL had applied every record that the logs had when they were read for the second time. */
  readonly drained: boolean;
  readonly claims: readonly SucceededClaim[];
}

/** Of an audit. */
export interface Evidence {
  readonly sources: Sources;
  readonly sales: readonly SaleEvidence[];
  /** All sales of MySQL, whichever were asked for; undefined when it was not read. */
  readonly knownSaleIds: readonly number[] | undefined;
}
