/** Events that this process has noticed and not told the others yet. They go out with its next report, so saying one costs nothing. */
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../platform/clock.ts';
import { fewRandomBytes } from '../../../platform/random-bytes.ts';
import { eventId, type FleetEvent, type Saying } from './fleet-event.ts';

const PROCESS_BYTES = 4;
/** Digits of a number that begins anew after some millions: it tells the order within a millisecond. */
const NUMBER_DIGITS = 6;

export class EventQueue {
  readonly #clock: Clock;
  readonly #process = fewRandomBytes(PROCESS_BYTES).toString('hex');
  #said = 0;
  #waiting: readonly FleetEvent[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those that wait, oldest first. */
  get waiting(): readonly FleetEvent[] {
    return this.#waiting;
  }

  say(...sayings: readonly Saying[]): void {
    const atMs = this.#clock.nowMs();
    const events = sayings.map((saying) => ({ ...saying, atMs, id: eventId(atMs, this.#distinction()) }));
    this.#waiting = [...this.#waiting, ...events].slice(-LIMITS.fleetEventsWaiting);
  }

  #distinction(): string {
    this.#said = (this.#said + 1) % 16 ** NUMBER_DIGITS;
    return this.#said.toString(16).padStart(NUMBER_DIGITS, '0') + this.#process;
  }

  /** These were told, by this process or by another one. */
  settle(told: Iterable<FleetEvent>): void {
    const ids = new Set([...told].map(({ id }) => id));
    this.#waiting = this.#waiting.filter(({ id }) => !ids.has(id));
  }
}
