/** What was refused of each sale since the last look, from sums that processes report. Pure. */
import type { ProcessFigures } from '../live/process-figures.ts';

type Counts = Readonly<Record<string, number>>;

export class RefusalCounts {
  /** Process → sale → sums as last seen. */
  #seen = new Map<string, ReadonlyMap<string, Counts>>();
  #beganMs: number | undefined;

  /**
   * By sale; undefined for the first look, before which nothing is known. Of a process that began later all is new.
   * @param nowMs in the time in which processes say when they began
   */
  since(processes: readonly ProcessFigures[], nowMs: number): ReadonlyMap<number, Counts> | undefined {
    const isFirst = this.#beganMs === undefined;
    this.#beganMs ??= nowMs;
    const before = this.#seen;
    const found = new Map<number, Record<string, number>>();
    this.#seen = new Map(before);
    for (const { id, startedAtMs, tallies = {} } of processes) {
      const known = before.get(id) ?? (startedAtMs >= this.#beganMs ? new Map<string, Counts>() : undefined);
      // A sale that is not told of any more has not changed.
      const sums = new Map([
        ...(before.get(id) ?? []),
        ...Object.entries(tallies).map(([sale, tally]) => [sale, tally.refused] as const),
      ]);
      this.#seen.set(id, sums);
      if (known === undefined) continue;
      for (const [saleId, { refused }] of Object.entries(tallies))
        addNew(found, Number(saleId), known.get(saleId) ?? {}, refused);
    }
    const ids = new Set(processes.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    return isFirst ? undefined : found;
  }

  /** Somebody else has recorded meanwhile. */
  forget(): void {
    this.#seen.clear();
    this.#beganMs = undefined;
  }
}

function addNew(found: Map<number, Record<string, number>>, saleId: number, before: Counts, now: Counts): void {
  const counts = found.get(saleId) ?? {};
  found.set(saleId, counts);
  for (const [code, sum] of Object.entries(now)) {
    const more = sum - (before[code] ?? 0);
    if (more > 0) counts[code] = (counts[code] ?? 0) + more;
  }
}
