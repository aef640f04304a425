/**
 * Puts simulated time and chance in the place of the real ones, for all code of this thread that runs on behalf of a
 * simulated process. Everything else (the runner itself) goes on with the real ones.
 */
import type { Event, EventLoop } from './event-loop.ts';
import { Random } from './random.ts';
import { real } from './real.ts';

interface Simulated {
  readonly loop: EventLoop;
  readonly random: Random;
}

let active: Simulated | undefined;

/** Real milliseconds, for measuring the simulation itself. */
export function realNowMs(): number {
  return real.performanceNow();
}

/** The simulation that code at hand runs in: undefined for the runner. */
function simulated(): Simulated | undefined {
  return active?.loop.current === undefined ? undefined : active;
}

/** @throws when no simulated process is running */
export function requireSimulated(): Simulated {
  const here = simulated();
  if (here === undefined) throw new Error('this is for code of a simulated process only');
  return here;
}

/** What `setTimeout` and `setImmediate` return: as much of Node's as is used. */
class TimerHandle {
  readonly event: Event;

  constructor(event: Event) {
    this.event = event;
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  close(): this {
    this.event.run = undefined;
    return this;
  }
}

type Callback = (...args: unknown[]) => void;

function schedule(callback: Callback, delayMs: number, args: readonly unknown[]): TimerHandle {
  const { loop } = requireSimulated();
  return new TimerHandle(loop.schedule(delayMs, loop.current, () => callback(...args)));
}

/** Node runs timers of less than a millisecond after one. */
function setTimeoutSimulated(callback: Callback, delayMs = 1, ...args: unknown[]): unknown {
  if (simulated() === undefined) return real.setTimeout(callback, delayMs, ...args);
  return schedule(callback, Math.max(1, Math.floor(delayMs)), args);
}

function setImmediateSimulated(callback: Callback, ...args: unknown[]): unknown {
  return simulated() === undefined ? real.setImmediate(callback, ...args) : schedule(callback, 0, args);
}

function clearSimulated(otherwise: (handle: never) => void) {
  return (handle: unknown): void => {
    if (handle instanceof TimerHandle) handle.close();
    else otherwise(handle as never);
  };
}

class IntervalHandle extends TimerHandle {
  current: TimerHandle;

  constructor(first: TimerHandle) {
    super(first.event);
    this.current = first;
  }

  override close(): this {
    this.current.close();
    return this;
  }
}

function setIntervalSimulated(callback: Callback, delayMs = 1, ...args: unknown[]): unknown {
  if (simulated() === undefined) return real.setInterval(callback, delayMs, ...args);
  const round = (): void => {
    handle.current = schedule(round, Math.max(1, delayMs), []);
    callback(...args);
  };
  const handle = new IntervalHandle(schedule(round, Math.max(1, delayMs), []));
  return handle;
}

/** For the thread's life. */
export function installEnvironment(): void {
  Object.assign(globalThis, {
    setTimeout: setTimeoutSimulated,
    setImmediate: setImmediateSimulated,
    clearTimeout: clearSimulated(real.clearTimeout),
    clearImmediate: clearSimulated(real.clearImmediate),
    setInterval: setIntervalSimulated,
    clearInterval: clearSimulated(real.clearInterval),
  });
  performance.now = () => simulated()?.loop.nowMs ?? real.performanceNow();
  Date.now = () => {
    const here = simulated();
    return here === undefined ? real.dateNow() : Math.floor(here.loop.nowMs);
  };
  Math.random = () => simulated()?.random.fraction() ?? real.mathRandom();
}

/** From here on simulated code sees this time and this chance. */
export function enterSimulation(loop: EventLoop, seed: number): void {
  active = { loop, random: new Random(seed) };
}

export function leaveSimulation(): void {
  active = undefined;
}
