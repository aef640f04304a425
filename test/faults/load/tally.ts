/** Counts what buyers do and what they are answered. */

export const OUTCOMES = [
  'bought',
  'cancelled',
  'declined',
  'refunded',
  'forgotten',
  'neverHeld',
  'neverPaid',
  'released',
  'limitReached',
  'soldOut',
  'gaveUp',
  'unexpected',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** An answer no correct server gives to what the buyer did, whatever has crashed. */
export interface UnexpectedAnswer {
  readonly atMs: number;
  /** What the buyer wanted: `POST /holds/{id}/payments` … */
  readonly step: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly detail: string;
}

/** Beyond this many they are counted only. */
const UNEXPECTED_KEPT = 50;

export class Tally {
  readonly outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  /** `status code` → how often. */
  readonly answers = new Map<string, number>();
  /** 503s: `step code` → how often. */
  readonly refused = new Map<string, number>();
  readonly unexpected: UnexpectedAnswer[] = [];
  /** When buyers were told `succeeded`: `performance.now()`, ascending. */
  readonly succeededAtMs: number[] = [];
  unexpectedCount = 0;
  requests = 0;
  readonly #onSurprise: (answer: UnexpectedAnswer) => void;
  lostReplies = 0;
  repeatedPayments = 0;

  /** @param onSurprise called for the first unexpected answers */
  constructor(onSurprise: (answer: UnexpectedAnswer) => void) {
    this.#onSurprise = onSurprise;
  }

  answered(step: string, status: number, code: string | undefined): void {
    this.requests += 1;
    count(this.answers, code === undefined ? String(status) : `${status} ${code}`);
    if (status === 503) count(this.refused, `${step} ${code}`);
  }

  ended(outcome: Outcome): void {
    this.outcomes[outcome] += 1;
  }

  succeeded(): void {
    this.succeededAtMs.push(performance.now());
  }

  surprised(answer: Omit<UnexpectedAnswer, 'atMs'>): void {
    this.unexpectedCount += 1;
    if (this.unexpected.length >= UNEXPECTED_KEPT) return;
    const noted = { atMs: Date.now(), ...answer };
    this.unexpected.push(noted);
    this.#onSurprise(noted);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
