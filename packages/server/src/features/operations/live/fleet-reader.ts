/**
 * Reads what all processes have reported. How old a report is, is told by one clock, that of Redis: each process writes down
 * when it reported by the time Redis told it a second before, carried on by its monotonic clock, and whoever reads asks Redis
 * for the time together with the reports. No two machines have to agree about the time, and who reads for the first time knows
 * at once which processes are silent.
 */
import type { Redis } from 'ioredis';
import type { OperationsEvent } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import type { EventQueue } from './event-queue.ts';
import { isGone, isStale, type SeenProcess } from './fleet.ts';
import { parseFigures, writtenAtMs } from './process-figures.ts';
import { fellSilent, reportsAgain } from './sayings.ts';
import { BEFORE_ALL_EVENTS, type FleetContents, forgetReports, readFleet } from './store.ts';

export interface FleetReaderOptions {
  readonly redis: Redis;
  /** For what is noticed in reading. */
  readonly noticed: EventQueue;
}

export class FleetReader {
  readonly #options: FleetReaderOptions;
  /** Process → the beat after which it fell silent. */
  readonly #silent = new Map<string, number>();
  #events: readonly OperationsEvent[] = [];
  #eventsRead = BEFORE_ALL_EVENTS;
  #reading: Promise<readonly SeenProcess[]> | undefined;

  constructor(options: FleetReaderOptions) {
    this.#options = options;
  }

  /** The last ones that were read, oldest first. */
  get events(): readonly OperationsEvent[] {
    return this.#events;
  }

  /** One pipeline at a time, however many ask. @throws when Redis does not answer */
  read(): Promise<readonly SeenProcess[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<readonly SeenProcess[]> {
    const contents = await readFleet(this.#options.redis, this.#eventsRead);
    this.#eventsRead = contents.eventsRead;
    this.#keep(contents.events);
    const { seen, gone } = sortOut(contents);
    for (const process of seen) this.#listen(process);
    for (const id of gone) this.#silent.delete(id);
    await forgetReports(this.#options.redis, gone);
    return seen;
  }

  #keep(events: readonly OperationsEvent[]): void {
    if (events.length === 0) return;
    // One whose writer did not hear the answer may be there twice.
    const byId = new Map([...this.#events, ...events].map((event) => [event.id, event]));
    const inOrder = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#events = inOrder.slice(-LIMITS.fleetEventsShown);
  }

  #listen(process: SeenProcess): void {
    const { noticed } = this.#options;
    const { figures, ageMs } = process;
    const silentAt = this.#silent.get(figures.id);
    if (isStale(process)) {
      if (silentAt === undefined) noticed.say(fellSilent(figures, ageMs));
      this.#silent.set(figures.id, figures.beat);
    } else if (silentAt !== undefined) {
      noticed.say(reportsAgain(figures, silentAt));
      this.#silent.delete(figures.id);
    }
  }
}

/** Reports that are understood, and the ids of those to be removed. */
function sortOut({ atMs, reports }: FleetContents): { readonly seen: SeenProcess[]; readonly gone: string[] } {
  const all: SeenProcess[] = [];
  const gone: string[] = [];
  for (const [id, text] of reports) {
    const figures = parseFigures(text);
    if (figures?.id === id) all.push({ figures, ageMs: Math.max(0, atMs - figures.atMs) });
    else if (isForgotten(text, atMs)) gone.push(id);
  }
  const seen = all.filter((process) => !isGone(process, all));
  const left = all.filter((process) => !seen.includes(process)).map(({ figures }) => figures.id);
  return { seen, gone: [...gone, ...left] };
}

/** Of a report of another version, or of what is none. */
function isForgotten(text: string, nowMs: number): boolean {
  const atMs = writtenAtMs(text);
  return atMs === undefined || nowMs - atMs > LIMITS.fleetForgetMs;
}
