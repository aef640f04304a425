/**
 * - `I1` no ticket number twice, none beyond the capacity
 * - `I2` available + held + sold = capacity, and every number in exactly one place
 * - `I3` whoever was told `succeeded` has an order in the order log
 * - `I4` one order per payment
 * - `I5` nobody has more tickets than the limit per buyer, and Redis knows what each has
 * - `I8` MySQL has what a replay of the order logs would give
 * - `I10` money captured ⇒ an order or a refund, never neither, never both
 */
export type AuditedInvariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I8' | 'I10';

export const AUDITED_INVARIANTS: readonly AuditedInvariant[] = ['I1', 'I2', 'I3', 'I4', 'I5', 'I8', 'I10'];

export interface Finding {
  readonly invariant: AuditedInvariant;
  /** One sentence with the numbers and ids concerned. */
  readonly message: string;
  /** What an operator can do, in words. */
  readonly remedy?: string;
  /** The command line that does it, where there is one. */
  readonly command?: string;
  /** For one that stands for others which are not told: how many. */
  readonly more?: number;
}

/** How a finding is mended. */
export type Remedy = Pick<Finding, 'remedy' | 'command'>;

/** Something that could not be compared, so that what it would have shown is not known. */
export interface Unproven {
  readonly invariants: readonly AuditedInvariant[];
  readonly reason: string;
  /** How to prove it after all. */
  readonly remedy?: string;
}

const ASK_FOR_MORE = 'They are mended alike, each by a command of its own: --details <number> tells more of them.';

/** The findings of one check: the first ones are told one by one, the others are counted, so that memory stays bounded. */
export class Findings {
  readonly #findings: Finding[] = [];
  readonly #atMost: number;
  #count = 0;

  constructor(atMost: number) {
    this.#atMost = atMost;
  }

  get count(): number {
    return this.#count;
  }

  /** The message is only made when it is told. */
  add(invariant: AuditedInvariant, message: () => string, remedy: Remedy = {}): void {
    this.#count += 1;
    if (this.#count <= this.#atMost) this.#findings.push({ invariant, message: message(), ...remedy });
  }

  /** What was counted while it was read and not kept. */
  more(count: number): void {
    this.#count += count;
  }

  list(): readonly Finding[] {
    const [first] = this.#findings;
    const more = this.#count - this.#findings.length;
    if (first === undefined || more === 0) return this.#findings;
    const message = `… and ${more} more like this.`;
    const { invariant, remedy, command } = first;
    // Where each is mended by a command of its own, those of the others are not known.
    const isSame = this.#findings.every((finding) => finding.remedy === remedy);
    const mended: Remedy = {
      ...(remedy === undefined ? {} : { remedy }),
      ...(command === undefined ? {} : { command }),
    };
    return [...this.#findings, { invariant, message, more, ...(isSame ? mended : { remedy: ASK_FOR_MORE }) }];
  }
}
