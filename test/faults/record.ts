/** What has happened in a run, round by round, and what was found. */
import type { Journal } from './journal.ts';
import type { MysqlOutage } from './mysql-outage.ts';
import type { Recovery } from './recovery.ts';
import { inOrder, quantilesOf, type RecipeResult, type Violation } from './report.ts';

interface RecipeRecord {
  rounds: number;
  violations: number;
  readonly allMs: number[];
  readonly anyMs: number[];
}

export class RunRecord {
  readonly violations: Violation[] = [];
  /** Absences of MySQL that were long enough to be watched. */
  readonly outages: MysqlOutage[] = [];
  readonly #journal: Journal;
  readonly #recipes = new Map<string, RecipeRecord>();
  readonly #known = new Set<string>();
  /** Rounds since the last clean audit. */
  #suspects: string[] = [];

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  began(recipe: string): void {
    this.#of(recipe).rounds += 1;
    this.#suspects.push(recipe);
  }

  recovered(recipe: string, { anyMs, allMs }: Recovery): void {
    if (anyMs !== undefined) this.#of(recipe).anyMs.push(anyMs);
    if (allMs !== undefined) this.#of(recipe).allMs.push(allMs);
  }

  /** The same sentence again is the same violation: a broken order is found by every later audit. */
  violated(message: string): void {
    if (this.#known.has(message)) return;
    this.#known.add(message);
    const after = [...this.#suspects];
    this.violations.push({ at: new Date().toISOString(), after, message });
    for (const recipe of new Set(after)) this.#of(recipe).violations += 1;
    this.#journal.say(`VIOLATION ${message}`);
  }

  /** What comes now is not the doing of what came before. */
  audited(): void {
    this.#suspects = [];
  }

  results(): readonly RecipeResult[] {
    return inOrder(
      [...this.#recipes].map(([name, { rounds, violations, allMs, anyMs }]) => ({
        name,
        rounds,
        violations,
        recovered: quantilesOf(allMs),
        soldAgain: quantilesOf(anyMs),
      })),
    );
  }

  #of(recipe: string): RecipeRecord {
    const known = this.#recipes.get(recipe) ?? { rounds: 0, violations: 0, allMs: [], anyMs: [] };
    this.#recipes.set(recipe, known);
    return known;
  }
}
