/**
 * Refuses what is worth least when there is too much: before a route was found, a token checked, a body read or Redis asked.
 * What it knows is measured by `LoopWatch` and counted here; what follows from that is decided in `shed-level.ts`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { SERVICE_PATHS } from '../../contract/paths.ts';
import { LIMITS } from '../../limits.ts';
import { AgeList } from '../age-list.ts';
import { writeAnswer } from '../ready-answer.ts';
import { LOAD_CLASSES, type LoadClass, loadClassOf } from './load-class.ts';
import { type LoopClocks, LoopWatch } from './loop-watch.ts';
import { overloadRefusal } from './refusal.ts';
import {
  adjustShedding,
  calmShedding,
  levelCeiling,
  type Relief,
  retrySeconds,
  SentAway,
  type ServedCounts,
  type SheddingState,
  servedShare,
  type WorkShares,
  workShares,
} from './shed-level.ts';

export interface LoadShedderOptions {
  /** 0 … 1 without 1; of the same weight everywhere. */
  readonly random?: () => number;
  readonly clocks?: LoopClocks;
  readonly inFlightMax?: Readonly<Record<LoadClass, number>>;
  readonly arrivingMax?: number;
}

/**
 * - `late`: the event loop is, and the class is being refused by its share
 * - `full`: so many of the class are under way that something else than the loop is slow
 * - `metrics`: more readings of `/metrics` than anybody who watches a server needs; health is always told, since a load balancer
 *   takes a server that does not tell for a dead one
 * - `slow`: its body was still arriving when so many others had begun to arrive that it had to make room
 */
export const REFUSAL_REASONS = ['late', 'full', 'metrics', 'slow'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Over which shares of the work are taken: as long as the loop's utilization that the admission sees. */
const SHARES_MS = 1_000;

interface ClassLedger {
  inFlight: number;
  served: number;
  readonly refused: Record<RefusalReason, number>;
  /** For the loop's delay. */
  readonly sentAway: SentAway;
  /** A request has ended, with or without an answer. */
  readonly leave: () => void;
}

interface Arrival {
  readonly loadClass: LoadClass;
  readonly socket: Socket;
}

/** Where a response's body is in the list of those that are arriving. */
const PLACE = Symbol('place');
type ArrivingResponse = ServerResponse & { [PLACE]?: number };

export class LoadShedder {
  /** Counted by whoever closes them. */
  connectionsDropped = 0;
  readonly #random: () => number;
  readonly #nowMs: () => number;
  readonly #inFlightMax: Readonly<Record<LoadClass, number>>;
  readonly #arrivingMax: number;
  /** Those whose bodies are not here yet, the oldest first. */
  readonly #arriving = new AgeList<Arrival>();
  /** Refused when their bodies were here. */
  readonly #refusedLate = new WeakSet<ServerResponse>();
  readonly #watch: LoopWatch;
  readonly #ledgers = perClass(createLedger);
  #state: SheddingState;
  #counts: ServedCounts = this.#count();
  #countedAtMs = 0;
  #shares: WorkShares = { reserve: 0, purchases: 0 };
  #readings = 0;
  #readingsSinceMs = 0;

  constructor(options: LoadShedderOptions = {}) {
    this.#random = options.random ?? Math.random;
    this.#nowMs = options.clocks?.nowMs ?? (() => performance.now());
    this.#inFlightMax = options.inFlightMax ?? LIMITS.requestsInFlight;
    this.#arrivingMax = options.arrivingMax ?? LIMITS.requestsArriving;
    this.#watch = new LoopWatch(() => this.#look(this.#nowMs()), options.clocks);
    this.#state = calmShedding(this.#nowMs());
  }

  /** See `SheddingState.level`. */
  get level(): number {
    return this.#state.level;
  }

  /** How late the event loop is, milliseconds. */
  get delayMs(): number {
    return this.#watch.read(this.#nowMs()).delayMs;
  }

  servedShare(loadClass: LoadClass): number {
    return servedShare(this.#state.level, loadClass);
  }

  inFlight(loadClass: LoadClass): number {
    return this.#ledgers[loadClass].inFlight;
  }

  /** Requests whose bodies are not here yet, of all classes. */
  get arriving(): number {
    return this.#arriving.size;
  }

  refused(loadClass: LoadClass, reason: RefusalReason): number {
    return this.#ledgers[loadClass].refused[reason];
  }

  /** One of a class was answered from memory. */
  served(loadClass: LoadClass): void {
    this.#ledgers[loadClass].served += 1;
  }

  /** At present, as far as the admission has to know it; shares are of about the last second. */
  get relief(): Relief {
    return { reserve: this.#shares.reserve, holdsServed: servedShare(this.level, 'hold') };
  }

  start(): void {
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** True when it was refused for its class, and is answered. While nothing is shed that costs next to nothing. */
  turnsAway(request: IncomingMessage, response: ServerResponse, nowMs: number): boolean {
    // The timer is kept waiting by requests that come in one batch after the other.
    if (nowMs - this.#state.atMs >= 2 * LIMITS.loopBeatMs) this.#look(nowMs);
    if (this.#state.level === 0) return false;
    const loadClass = loadClassOf(request);
    const share = this.servedShare(loadClass);
    if (share === 1 || this.#random() < share) return false;
    const ledger = this.#ledgers[loadClass];
    const seconds = retrySeconds(loadClass, share, ledger.sentAway.add(nowMs), this.#random());
    refuse(request, response, ledger, 'late', seconds);
    return true;
  }

  /**
   * For what takes its time. True: it may begin, and is under way until its response has ended; with a body, from when that is
   * here (`bodyArrived`), so that clients who send none take nobody's place. Else it is answered.
   */
  takesIn(request: IncomingMessage, response: ServerResponse, nowMs: number): boolean {
    const loadClass = loadClassOf(request);
    const ledger = this.#ledgers[loadClass];
    const reason =
      ledger.inFlight >= this.#inFlightMax[loadClass]
        ? 'full'
        : loadClass === 'service' && this.#isReadTooOften(request, nowMs)
          ? 'metrics'
          : undefined;
    if (reason !== undefined) {
      // What is full has room again as soon as something has ended.
      refuse(request, response, ledger, reason, retrySeconds(loadClass, 1, 0, this.#random()));
      return false;
    }
    if (bringsBody(request)) this.#awaitBody(request, response, loadClass);
    else begin(ledger, response);
    return true;
  }

  /**
   * To be told of everything that was taken in, before work begins for it: its body, if it has one, is here. Gives the seconds
   * after which to ask again when there is no room for it any more; undefined when it is under way.
   */
  bodyArrived(response: ServerResponse): number | undefined {
    const { [PLACE]: place = Number.NaN }: ArrivingResponse = response;
    const arrival = this.#arriving.get(place);
    if (arrival === undefined) return undefined;
    this.#arriving.remove(place);
    const { loadClass } = arrival;
    const ledger = this.#ledgers[loadClass];
    if (ledger.inFlight >= this.#inFlightMax[loadClass]) {
      ledger.refused.full += 1;
      this.#refusedLate.add(response);
      return retrySeconds(loadClass, 1, 0, this.#random());
    }
    begin(ledger, response);
    return undefined;
  }

  /** Whether it was refused although it had been taken in: when its body was here there was no room any more. */
  refusedLate(response: ServerResponse): boolean {
    return this.#refusedLate.has(response);
  }

  #awaitBody({ socket }: IncomingMessage, response: ServerResponse, loadClass: LoadClass): void {
    const place = this.#arriving.add({ loadClass, socket });
    (response as ArrivingResponse)[PLACE] = place;
    response.once('close', () => this.#arriving.remove(place));
    const { oldest } = this.#arriving;
    if (oldest === undefined || this.#arriving.size <= this.#arrivingMax) return;
    // Refusing the new one would let those who send nothing keep out the others, whose bodies come with their headers.
    this.#arriving.removeOldest();
    this.#ledgers[oldest.loadClass].refused.slow += 1;
    oldest.socket.destroy();
  }

  #count(): ServedCounts {
    let refused = 0;
    for (const name of LOAD_CLASSES) for (const reason of REFUSAL_REASONS) refused += this.refused(name, reason);
    return { served: perClass((name) => this.#ledgers[name].served), refused };
  }

  #look(nowMs: number): void {
    if (nowMs - this.#countedAtMs >= SHARES_MS) this.#takeShares(nowMs);
    this.#state = adjustShedding(this.#state, this.#watch.read(nowMs), levelCeiling(this.#shares));
  }

  #takeShares(nowMs: number): void {
    const [before, now] = [this.#counts, this.#count()];
    const served = perClass((name) => now.served[name] - before.served[name]);
    this.#shares = workShares({ served, refused: now.refused - before.refused });
    this.#counts = now;
    this.#countedAtMs = nowMs;
  }

  #isReadTooOften(request: IncomingMessage, nowMs: number): boolean {
    if (pathOf(request) !== SERVICE_PATHS.metrics) return false;
    if (nowMs - this.#readingsSinceMs >= 1_000) {
      this.#readings = 0;
      this.#readingsSinceMs = nowMs;
    }
    this.#readings += 1;
    return this.#readings > LIMITS.metricsPerSecond;
  }
}

function perClass<Value>(of: (name: LoadClass) => Value): Record<LoadClass, Value> {
  return Object.fromEntries(LOAD_CLASSES.map((name) => [name, of(name)])) as Record<LoadClass, Value>;
}

function createLedger(loadClass: LoadClass): ClassLedger {
  const ledger: ClassLedger = {
    inFlight: 0,
    served: 0,
    refused: { late: 0, full: 0, metrics: 0, slow: 0 },
    sentAway: new SentAway(loadClass),
    leave: () => {
      ledger.inFlight -= 1;
    },
  };
  return ledger;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  ledger: ClassLedger,
  reason: RefusalReason,
  seconds: number,
): void {
  ledger.refused[reason] += 1;
  writeAnswer(response, overloadRefusal(pathOf(request), seconds));
}

function begin(ledger: ClassLedger, response: ServerResponse): void {
  ledger.inFlight += 1;
  ledger.served += 1;
  response.once('close', ledger.leave);
}

/** Whether a body is waited for: of GET and HEAD none is read. */
function bringsBody({ method, headers }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
  return length !== '0' || encoding !== undefined;
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
