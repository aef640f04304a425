/** The order in which two arms are measured. Pure. */

export interface Turn<Arm> {
  readonly arm: Arm;
  /** From 0; each pair is two neighbouring turns. */
  readonly pair: number;
}

/** A B B A A B B A …: whatever drifts over the run meets both arms alike. */
export function interleave<Arm>(pairs: number, arms: readonly [Arm, Arm]): ReadonlyArray<Turn<Arm>> {
  return Array.from({ length: pairs }, (_, pair) => {
    const order = pair % 2 === 0 ? arms : arms.toReversed();
    return order.map((arm) => ({ arm, pair }));
  }).flat();
}
