import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { LoopWatch } from './loop-watch.ts';

const BEAT = LIMITS.loopBeatMs;

/** Clocks that a test moves; timers come when they are told to. */
class Clocks {
  wallMs = 0;
  threadMs = 0;
  readonly nowMs = (): number => this.wallMs;
  readonly cpuMs = (): number => this.threadMs;

  pass(wallMs: number, workedMs: number): void {
    this.wallMs += wallMs;
    this.threadMs += workedMs;
  }
}

describe('how late the loop is', () => {
  let clocks: Clocks;
  let watch: LoopWatch;
  const delayMs = (): number => watch.read(clocks.wallMs).delayMs;
  const beat = (): void => void vi.advanceTimersToNextTimer();

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    clocks = new Clocks();
    watch = new LoopWatch(() => undefined, clocks);
    watch.start();
  });
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
  });

  it('is nothing when beats come in time', () => {
    clocks.pass(BEAT, BEAT);
    beat();
    expect(delayMs()).toBe(0);
  });

  it('is what a beat came late, when there was work all the time', () => {
    clocks.pass(BEAT + 80, BEAT + 80);
    beat();
    expect(delayMs()).toBe(80);
  });

  it('is known before the beat that is overdue has come', () => {
    clocks.pass(BEAT + 500, BEAT + 500);
    expect(delayMs()).toBe(500);
  });

  it('is no more than twice what was worked: other processes made the beat late', () => {
    clocks.pass(BEAT + 500, 10);
    expect(delayMs()).toBe(20);
    beat();
    expect(delayMs()).toBe(20);
  });

  it('counts whole when others have had half of the processor', () => {
    clocks.pass(BEAT + 500, 260);
    expect(delayMs()).toBe(500);
  });

  it('is forgotten with the next beat that is in time', () => {
    clocks.pass(BEAT + 80, BEAT + 80);
    beat();
    clocks.pass(BEAT, 1);
    beat();
    expect(delayMs()).toBe(0);
  });
});

it('a loop that works without a pause is late by that, and busy', async () => {
  const delays: number[] = [];
  const watch = new LoopWatch(() => delays.push(watch.read(performance.now()).delayMs));
  watch.start();
  try {
    await sleep(3 * BEAT);
    for (const endMs = performance.now() + 400; performance.now() < endMs; ) {
      // Busy on purpose.
    }
    await sleep(5 * BEAT);
    // How much of the 400 ms was ours depends on the machine; never more than there were.
    expect(Math.max(...delays)).toBeGreaterThan(20);
    expect(Math.max(...delays)).toBeLessThan(1_500);
    expect(watch.read(performance.now()).utilization).toBeGreaterThan(0);
  } finally {
    watch.stop();
  }
});
