/** How late the event loop is, all the time and for next to nothing: one timer, and one clock that requests read as well. */
import { performance } from 'node:perf_hooks';
import { LIMITS } from '../../limits.ts';
import type { LoopReading } from './shed-level.ts';

/**
 * A timer that comes late was kept waiting by the requests before it, as requests are by each other: its delay is theirs.
 * While hundreds of sockets are ready libuv may serve them for a second before it looks at timers; so whoever reads in between
 * counts a timer that is overdue as late already.
 */
export class LoopWatch {
  readonly #onBeat: () => void;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #beatAtMs: number;
  #delayMs = 0;
  #usedSinceMs: number;
  #used = performance.eventLoopUtilization();
  #utilization = 0;

  /** @param onBeat called at every beat, with the loop just measured */
  constructor(onBeat: () => void, nowMs: () => number = () => performance.now()) {
    this.#onBeat = onBeat;
    this.#nowMs = nowMs;
    this.#beatAtMs = nowMs();
    this.#usedSinceMs = this.#beatAtMs;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#beatAtMs = this.#nowMs();
    this.#timer = setTimeout(() => this.#beat(), LIMITS.loopBeatMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  read(nowMs: number): LoopReading {
    const overdueMs = nowMs - this.#beatAtMs - LIMITS.loopBeatMs;
    return { nowMs, delayMs: Math.max(this.#delayMs, overdueMs), utilization: this.#utilization };
  }

  #beat(): void {
    const nowMs = this.#nowMs();
    this.#delayMs = Math.max(0, nowMs - this.#beatAtMs - LIMITS.loopBeatMs);
    this.#beatAtMs = nowMs;
    if (nowMs - this.#usedSinceMs >= LIMITS.loopUtilizationMs) {
      const used = performance.eventLoopUtilization();
      this.#utilization = performance.eventLoopUtilization(used, this.#used).utilization;
      this.#used = used;
      this.#usedSinceMs = nowMs;
    }
    this.#timer?.refresh();
    this.#onBeat();
  }
}
