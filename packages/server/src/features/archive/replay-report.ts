/** What a replay did, or in a dry run would do. Counts are of rows unless they say otherwise. */
import type { Damage } from '../../order-log/errors.ts';
import type { RaisedEpoch } from './sale-epochs.ts';

export interface ReplayCounts {
  /** In the log and not in MySQL. */
  ordersMissing: number;
  ticketsMissing: number;
  /** Orders given back that MySQL holds for sold, or whose tombstone it does not have. */
  cancellationsMissing: number;
  paymentsMissing: number;
  /** Rows that are there and say something else than the log. Put right by `repair` only. */
  ordersDiffer: number;
  ticketsDiffer: number;
  paymentsDiffer: number;
  /** Put right by a repair. */
  repaired: number;
  /** Records of any log that MySQL refuses; they are in `failed_records`. */
  refused: number;
}

/** One of the things that were counted, for people; only the first few are kept. */
export interface ReplayExample {
  readonly kind: Exclude<keyof ReplayCounts, 'repaired' | 'refused'> | 'unrepaired' | 'cancelledWithoutRecord';
  readonly id: string;
  readonly detail: string;
}

/** What nobody will ever bring in, of a log that was retired all the same. */
export interface GivenUp {
  /** Records between the first and the last that could not be read. */
  readonly unreadable: number;
  /** Whatever was written behind this record. */
  readonly behindLsn: number;
}

export interface ReplayedLog {
  readonly directory: string;
  readonly logId: string;
  readonly server: string;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly records: number;
  /** MySQL's position in this log, before and after. */
  readonly positionBefore: number;
  readonly position: number;
  /** Payments without an outcome at the end: money may have been taken. */
  readonly openPayments: number;
  readonly retired: boolean;
  /** Why it could not be retired, although it should be. */
  readonly notRetired?: string;
  /** Present when it was retired although a part of it is missing. */
  readonly givenUp?: GivenUp;
  /** A server has it open: only what that one has applied was looked at, and the rest is its business. */
  readonly live: boolean;
  /** MySQL's position is beyond the last record: an older copy, or somebody has moved the position. */
  readonly beyondEnd: boolean;
  /** Some of its records had been durable and cannot be read; the others were applied. The first damaged place. */
  readonly corrupt?: Damage;
}

export interface ReplayReport {
  readonly dryRun: boolean;
  readonly logs: readonly ReplayedLog[];
  readonly counts: ReplayCounts;
  readonly examples: readonly ReplayExample[];
  readonly unrepaired: number;
  readonly cancelledWithoutRecord: number;
  readonly raisedEpochs: readonly RaisedEpoch[];
  /** Sales that have orders in the logs and no row in MySQL. */
  readonly unknownSales: readonly number[];
  readonly seconds: number;
}

const EXAMPLES_MAX = 20;

export class ReplayTally {
  readonly counts: ReplayCounts = {
    ordersMissing: 0,
    ticketsMissing: 0,
    cancellationsMissing: 0,
    paymentsMissing: 0,
    ordersDiffer: 0,
    ticketsDiffer: 0,
    paymentsDiffer: 0,
    repaired: 0,
    refused: 0,
  };
  unrepaired = 0;
  cancelledWithoutRecord = 0;
  readonly examples: ReplayExample[] = [];

  add(kind: ReplayExample['kind'], id: string, detail: string, count = 1): void {
    if (kind === 'unrepaired') this.unrepaired += count;
    else if (kind === 'cancelledWithoutRecord') this.cancelledWithoutRecord += count;
    else this.counts[kind] += count;
    if (this.examples.length < EXAMPLES_MAX) this.examples.push({ kind, id, detail });
  }
}
