/** Small sums that the figures of a load test are made of. */

export function add(counts: Map<string, number>, key: string, value: number): void {
  counts.set(key, (counts.get(key) ?? 0) + value);
}

/** By name, so that the same counts are the same document. */
export function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Cut off, with two decimals: a rate is never made to look better than it was. */
export function rate(count: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.floor((count / seconds) * 100) / 100;
}
