/**
 * What Redis, the order logs and MySQL say about one sale: plain data, gathered by `collect-evidence.ts` and judged by
 * `audit-sale.ts`. Memory is bounded by the sale's capacity: one entry an order, and short lists for what is abnormal.
 *
 * The evidence is taken store by store, so it is only exact when the sale is at rest: no payment under way.
 */

/** An order as one source has it. */
export interface OrderFacts {
  readonly orderId: string;
  readonly paymentId: string;
  readonly accountId: number;
  readonly confirmSeq: number;
  /** All tickets it was sold with, also when it is cancelled. */
  readonly ticketNumbers: readonly number[];
  /** Minor units. */
  readonly amount: number;
  /** True once its tickets are void. */
  readonly cancelled: boolean;
}

export interface LogEvidence {
  /** Records of this sale, of all types. */
  readonly records: number;
  readonly orders: ReadonlyMap<string, OrderFacts>;
  /** The same order id with other contents, e.g. in two logs: one sentence each. */
  readonly contradictions: readonly string[];
}

export interface ArchiveEvidence {
  readonly orders: ReadonlyMap<string, OrderFacts>;
  /** Records MySQL refused and the applier set aside, all sales of these logs. */
  readonly failedRecords: number;
  /** An order and its tickets that do not agree: one sentence each. */
  readonly contradictions: readonly string[];
}

export interface RedisPayment {
  readonly paymentId: string;
  readonly orderId: string | undefined;
}

export interface RedisHold {
  readonly holdId: string;
  readonly accountId: number;
  readonly state: string;
  readonly ticketNumbers: readonly number[];
}

export interface RedisEvidence {
  readonly epoch: number;
  readonly capacity: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  /** Lowest ticket number never given out; `capacity + 1` when all were. */
  readonly nextFresh: number;
  /** Ticket numbers that came back to stock. */
  readonly released: readonly number[];
  /** Holds in state `held` or `paying`, found through the sets that list them. */
  readonly liveHolds: readonly RedisHold[];
  /** Account id → tickets bought, as the limit per buyer is checked against. */
  readonly bought: ReadonlyMap<number, number>;
  /** Payments a buyer would be told `succeeded` for. */
  readonly succeeded: readonly RedisPayment[];
}

/** What a buyer remembers having been told. */
export interface SucceededClaim {
  readonly paymentId: string;
  readonly orderId: string;
}

export interface SaleEvidence {
  readonly saleId: number;
  /** From MySQL. */
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly log: LogEvidence;
  readonly archive: ArchiveEvidence;
  /** Undefined: Redis has no state of this sale. */
  readonly redis: RedisEvidence | undefined;
  /** Whether MySQL has applied every record of every log that was read. */
  readonly drained: boolean;
  readonly claims: readonly SucceededClaim[];
}
