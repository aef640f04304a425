/** How late the event loop is, all the time and for next to nothing: one timer, and one clock that requests read as well. */
import { performance } from 'node:perf_hooks';
import { LIMITS } from '../../limits.ts';
import type { LoopReading } from './shed-level.ts';

export interface LoopClocks {
  readonly nowMs: () => number;
  /** Processor time of this thread. */
  readonly cpuMs: () => number;
}

const OWN_CLOCKS: LoopClocks = {
  nowMs: () => performance.now(),
  cpuMs: () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  },
};

/**
 * A timer that comes late was kept waiting by the requests before it, as requests are by each other: its delay is theirs.
 * While hundreds of sockets are ready libuv may serve them for a second before it looks at timers; so whoever reads in between
 * counts a timer that is overdue as late already.
 *
 * On a machine that is busy with other things a timer comes late without anybody waiting in line here, and refusing the few who
 * come would help nobody: a loop is late by twice the time it worked itself at most.
 */
export class LoopWatch {
  readonly #onBeat: () => void;
  readonly #clocks: LoopClocks;
  #timer: NodeJS.Timeout | undefined;
  #beatAtMs: number;
  #beatCpuMs: number;
  #delayMs = 0;
  #usedSinceMs: number;
  #used = performance.eventLoopUtilization();
  #utilization = 0;

  /** @param onBeat called at every beat, with the loop just measured */
  constructor(onBeat: () => void, clocks: LoopClocks = OWN_CLOCKS) {
    this.#onBeat = onBeat;
    this.#clocks = clocks;
    this.#beatAtMs = clocks.nowMs();
    this.#beatCpuMs = clocks.cpuMs();
    this.#usedSinceMs = this.#beatAtMs;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#beatAtMs = this.#clocks.nowMs();
    this.#beatCpuMs = this.#clocks.cpuMs();
    this.#timer = setTimeout(() => this.#beat(), LIMITS.loopBeatMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  read(nowMs: number): LoopReading {
    const overdueMs = nowMs - this.#beatAtMs - LIMITS.loopBeatMs;
    const delayMs = overdueMs > this.#delayMs ? Math.max(this.#delayMs, this.#late(nowMs)) : this.#delayMs;
    return { nowMs, delayMs, utilization: this.#utilization };
  }

  /** At this moment, since the last beat. */
  #late(nowMs: number): number {
    const overdueMs = nowMs - this.#beatAtMs - LIMITS.loopBeatMs;
    const workedMs = this.#clocks.cpuMs() - this.#beatCpuMs;
    return Math.max(0, Math.min(overdueMs, LIMITS.loopLatePerWork * workedMs));
  }

  #beat(): void {
    const nowMs = this.#clocks.nowMs();
    this.#delayMs = this.#late(nowMs);
    this.#beatAtMs = nowMs;
    this.#beatCpuMs = this.#clocks.cpuMs();
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
