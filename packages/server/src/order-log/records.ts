/**
 * What the order log can say. Payloads are JSON: they are read by people during incidents, and parsing them is not what
 * limits recovery. Times are Unix milliseconds, money integer minor units.
 *
 * A record type, once written by a released version, keeps its number and its meaning: old logs are read for years.
 */

/** The number of each type in the record header. Never renumber. */
export const RECORD_TYPES = {
  paymentIntent: 1,
  orderPaid: 2,
  paymentFailed: 3,
  refundStarted: 4,
  refundCompleted: 5,
  orderCancelled: 6,
  phaseChanged: 7,
  admissionChanged: 8,
  epochStarted: 9,
  ticketsReleased: 10,
  rebuildRequested: 11,
} as const;

export type OrderLogRecordType = keyof typeof RECORD_TYPES;

interface OfSale {
  readonly saleId: number;
  /** Epoch of the sale's Redis state when this was decided. */
  readonly epoch: number;
  /** When it was decided, Unix milliseconds. */
  readonly at: number;
}

/** Written and durable before the gateway is asked for money. */
export interface PaymentIntent extends OfSale {
  readonly type: 'paymentIntent';
  readonly paymentId: string;
  readonly holdId: string;
  readonly accountId: number;
  readonly ticketNumbers: readonly number[];
  readonly amount: number;
  readonly currency: string;
  readonly method: string;
}

/** A paid hold. The order exists from the moment this record is durable. */
export interface OrderPaid extends OfSale {
  readonly type: 'orderPaid';
  readonly orderId: string;
  readonly paymentId: string;
  readonly holdId: string;
  readonly festivalId: number;
  readonly accountId: number;
  /** 1, 2, 3 … per sale, drawn when the stock was confirmed. */
  readonly confirmSeq: number;
  readonly ticketNumbers: readonly number[];
  /** Capacity of the sale when this was decided: the writer refuses a ticket number beyond it. */
  readonly capacity: number;
  readonly amount: number;
  readonly currency: string;
}

/** Closes an intent: the gateway took no money. */
export interface PaymentFailed extends OfSale {
  readonly type: 'paymentFailed';
  readonly paymentId: string;
  readonly holdId: string;
  readonly failureCode: string;
}

/** Durable before the gateway is asked to give money back. `orderId` is absent when the payment never became an order. */
export interface RefundStarted extends OfSale {
  readonly type: 'refundStarted';
  readonly paymentId: string;
  readonly orderId?: string;
  readonly holdId: string;
  readonly accountId: number;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
}

export interface RefundCompleted extends OfSale {
  readonly type: 'refundCompleted';
  readonly paymentId: string;
  readonly orderId?: string;
}

/** The order's tickets are void from here on; their numbers may be sold again. */
export interface OrderCancelled extends OfSale {
  readonly type: 'orderCancelled';
  readonly orderId: string;
  readonly ticketNumbers: readonly number[];
}

export interface PhaseChanged extends OfSale {
  readonly type: 'phaseChanged';
  readonly from: string;
  readonly to: string;
  /** Grows with every change of the sale's phase; orders changes that came through different servers. */
  readonly phaseSeq: number;
  /** Account of the operator; absent when the sale's own times did it. */
  readonly operatorId?: number;
  /** Readiness checks that the operator overrode; absent when there were none. */
  readonly forced?: readonly string[];
}

/** How buyers are admitted. */
export interface AdmissionSettings {
  readonly mode: 'auto' | 'fixed';
  readonly perSecond: number;
  readonly maxActive: number;
}

export interface AdmissionChanged extends OfSale, AdmissionSettings {
  readonly type: 'admissionChanged';
  /** What was before; absent in records of earlier releases. */
  readonly from?: AdmissionSettings;
  readonly operatorId: number;
  /** Orders changes that came through different servers. */
  readonly admissionSeq: number;
}

/**
 * The sale's Redis state is built anew under this epoch; queue numbers go on above `queueHighWater`. From this record on
 * the log takes no `orderPaid` of an earlier epoch of the sale.
 */
export interface EpochStarted extends OfSale {
  readonly type: 'epochStarted';
  readonly queueHighWater: number;
  readonly reason: string;
}

/**
 * These tickets of an order that never came to be are free again in this log: the writer may take them in another order.
 * It says nothing about the order itself.
 */
export interface TicketsReleased extends OfSale {
  readonly type: 'ticketsReleased';
  readonly orderId: string;
  readonly ticketNumbers: readonly number[];
}

/** An operator has the sale's Redis state built anew. What comes of it is said by `epochStarted`. */
export interface RebuildRequested extends OfSale {
  readonly type: 'rebuildRequested';
  readonly operatorId: number;
  /** The epoch it is built anew under; `epoch` is the one that ends. */
  readonly nextEpoch: number;
}

export type OrderLogRecord =
  | PaymentIntent
  | OrderPaid
  | PaymentFailed
  | RefundStarted
  | RefundCompleted
  | OrderCancelled
  | PhaseChanged
  | AdmissionChanged
  | EpochStarted
  | TicketsReleased
  | RebuildRequested;

/** A record with its place in the log. */
export interface StoredRecord {
  /** Log sequence number: 1, 2, 3 … without gaps in one log. */
  readonly lsn: number;
  readonly record: OrderLogRecord;
}
