/** Redis's sorted set: ordered by score, then by the member's bytes. */

export interface Scored {
  readonly member: string;
  readonly score: number;
}

/** A bound of ZRANGE … BYSCORE: `5`, `(5`, `-inf`, `+inf`. */
export interface Bound {
  readonly score: number;
  readonly exclusive: boolean;
}

function isBefore(a: Scored, score: number, member: string): boolean {
  return a.score < score || (a.score === score && a.member < member);
}

export class SortedSet {
  readonly #scores = new Map<string, number>();
  /** Ascending. The sets of a simulated sale are small: inserting in the middle is cheaper than a tree. */
  readonly #sorted: Scored[] = [];

  get size(): number {
    return this.#scores.size;
  }

  score(member: string): number | undefined {
    return this.#scores.get(member);
  }

  /** Returns whether the member is new. */
  add(member: string, score: number): boolean {
    const before = this.#scores.get(member);
    if (before === score) return false;
    if (before !== undefined) this.#sorted.splice(this.#indexOf(before, member), 1);
    this.#scores.set(member, score);
    this.#sorted.splice(this.#indexOf(score, member), 0, { member, score });
    return before === undefined;
  }

  remove(member: string): boolean {
    const score = this.#scores.get(member);
    if (score === undefined) return false;
    this.#scores.delete(member);
    this.#sorted.splice(this.#indexOf(score, member), 1);
    return true;
  }

  /** By rank, both ends included; negative ranks count from the end. */
  range(from: number, to: number): readonly Scored[] {
    const { length } = this.#sorted;
    const first = from < 0 ? Math.max(0, length + from) : from;
    return this.#sorted.slice(first, (to < 0 ? length + to : to) + 1);
  }

  byScore(from: Bound, to: Bound): readonly Scored[] {
    const first = this.#firstAtLeast(from.score, from.exclusive);
    return this.#sorted.slice(first, Math.max(first, this.#firstAtLeast(to.score, !to.exclusive)));
  }

  copy(): SortedSet {
    const copy = new SortedSet();
    for (const { member, score } of this.#sorted) {
      copy.#scores.set(member, score);
      copy.#sorted.push({ member, score });
    }
    return copy;
  }

  /** Where a member with this score is or belongs. */
  #indexOf(score: number, member: string): number {
    return this.#search((each) => isBefore(each, score, member));
  }

  /** The first index with a score ≥ (or, when `above`, >) this one. */
  #firstAtLeast(score: number, above: boolean): number {
    return this.#search((each) => (above ? each.score <= score : each.score < score));
  }

  /** Binary search: how many from the start on are `before`. */
  #search(before: (each: Scored) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const each = this.#sorted[middle];
      if (each !== undefined && before(each)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
