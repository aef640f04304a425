/** A sale as the archive (MySQL) has it. What moves during the sale (stock, queue) lives in Redis. */
import type { RejoinRule } from '../../contract/words.ts';

export interface SaleRecord {
  readonly id: number;
  readonly festivalId: number;
  /** Account of the festival's organizer: ownership checks. */
  readonly organizerId: number;
  readonly name: string;
  /** Minor units of `currency` per ticket. */
  readonly price: number;
  readonly currency: string;
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly refundUntilMs: number;
  readonly rejoin: RejoinRule;
  readonly holdSeconds: number;
  readonly admissionSeconds: number;
  /** Grows with every change of the fields above. */
  readonly version: number;
}
