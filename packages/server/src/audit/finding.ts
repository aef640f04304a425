/**
 * - `I1` no ticket number twice, none beyond the capacity
 * - `I2` available + held + sold = capacity, and every number in exactly one place
 * - `I3` whoever was told `succeeded` has an order in the order log
 * - `I4` one order per payment
 * - `I5` nobody has more tickets than the limit per buyer
 * - `redis` what Redis counts as sold is what was sold
 * - `archive` MySQL has what the log has
 */
export type AuditedInvariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'redis' | 'archive';

export interface Finding {
  readonly invariant: AuditedInvariant;
  /** One sentence with the numbers and ids concerned. */
  readonly message: string;
  /** What an operator can do. */
  readonly remedy?: string;
}
