/** The rows of one sale as they come to be: seconds become rows of some seconds, and quiet rows become long ones. Pure. */
import { LIMITS } from '../../../limits.ts';
import { isAlike, isQuiet, mergeSamples, type SaleSample, type Second, summarize } from './sample.ts';

/** The end of the row that a moment is in: the same for whoever writes it. */
function endOf(atMs: number, lengthMs: number): number {
  return (Math.floor(atMs / lengthMs) + 1) * lengthMs;
}

export class SampleSeries {
  #seconds: Second[] = [];
  #fromMs: number | undefined;
  /** When the last second was. */
  #lastMs = 0;
  #quiet: SaleSample | undefined;
  #hasBegun = false;

  /**
   * Takes one second in, and gives the rows that are finished with it.
   * @param came of the sale, as last asked
   */
  add(atMs: number, second: Second, came: number | null): readonly SaleSample[] {
    const isLate = atMs - this.#lastMs > LIMITS.reportSampleMs || atMs < this.#lastMs;
    const rows = this.#fromMs === undefined || !isLate ? [] : this.finish(came);
    this.#fromMs ??= atMs;
    const dueMs = endOf(this.#fromMs, LIMITS.reportSampleMs);
    const due = atMs >= dueMs ? this.#cut(dueMs, came) : [];
    this.#seconds.push(second);
    this.#lastMs = atMs;
    return [...rows, ...due];
  }

  /** What there is, now: whoever goes on begins anew. */
  finish(came: number | null): readonly SaleSample[] {
    const untilMs = Math.max(this.#lastMs, (this.#fromMs ?? 0) + 1);
    const rows = this.#fromMs === undefined ? [] : this.#cut(untilMs, came);
    const quiet = this.#quiet;
    this.#quiet = undefined;
    this.#fromMs = undefined;
    return quiet === undefined ? rows : [...rows, quiet];
  }

  #cut(toMs: number, came: number | null): readonly SaleSample[] {
    const row = summarize(this.#seconds, { fromMs: this.#fromMs ?? toMs, toMs }, came);
    this.#seconds = [];
    this.#fromMs = toMs;
    return row === undefined ? [] : this.#gather(row);
  }

  /** A quiet row waits for more of its kind, for a minute at most; but for the first, so that whoever looks sees something soon. */
  #gather(row: SaleSample): readonly SaleSample[] {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return [row];
    }
    const before = this.#quiet;
    this.#quiet = undefined;
    if (!isQuiet(row)) return before === undefined ? [row] : [before, row];
    const goesOn = before !== undefined && isAlike(before, row);
    const quiet = goesOn ? mergeSamples(before, row) : row;
    const rows = before === undefined || goesOn ? [] : [before];
    if (quiet.toMs % LIMITS.reportQuietSampleMs === 0) return [...rows, quiet];
    this.#quiet = quiet;
    return rows;
  }
}
