/** The sockets of one sale, and the newest state for all of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LiveSale } from '../stock/live-sales.ts';
import type { BroadcastBudget } from './broadcast-budget.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { LiveSocket } from './live-socket.ts';
import { describeState, type StateDescription, textFrame } from './state-frame.ts';

/** Milliseconds and sockets; see `LIMITS.live…`. */
export interface RoomPace {
  broadcastMs: number;
  sliceSockets: number;
  keepAliveMs: number;
  stuckMs: number;
}

export interface RoomOptions {
  readonly pace: RoomPace;
  /** Of all rooms. */
  readonly budget: BroadcastBudget;
  readonly metrics: Pick<LiveMetrics, 'skipped' | 'broadcast'>;
  /** Milliseconds since some beginning; never goes back. */
  readonly nowMs: () => number;
}

interface State extends StateDescription {
  /** Counts from 1. */
  readonly number: number;
  readonly frame: Buffer;
  readonly sinceMs: number;
}

/** What a room needs of a socket. */
export type Told = Pick<LiveSocket, 'shown' | 'missed' | 'behindSinceMs' | 'put' | 'drop' | 'sayGoodbye'>;

export type Change = 'none' | 'ordinary' | 'urgent';

export function changeBetween(before: StateDescription | undefined, after: StateDescription): Change {
  if (before === undefined || before.standing !== after.standing) return 'urgent';
  return before.news === after.news ? 'none' : 'ordinary';
}

export class Room {
  readonly #options: RoomOptions;
  readonly #sockets = new Set<Told>();
  /** Those that had not drained when a state was to be written. */
  readonly #behind = new Set<Told>();
  readonly #turn = (): void => void this.#writeAll();
  #state: State | undefined;
  /** Number of the state that is being written, or was last. */
  #told = 0;
  #broadcasting = false;
  #closed = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Takes a client in and tells it the newest state at once. */
  enter(socket: Told, sale: LiveSale): void {
    // Before it is among those who are told: it is told now, whatever the others' turn is.
    this.offer(sale);
    this.#sockets.add(socket);
    this.#show(socket);
  }

  leave(socket: Told): void {
    this.#sockets.delete(socket);
    this.#behind.delete(socket);
  }

  /** A state was read. It is passed on when it says something new: at once, or together with what comes meanwhile. */
  offer(sale: LiveSale): void {
    const description = describeState(sale);
    const change = changeBetween(this.#state, description);
    if (change === 'none') return;
    this.#renew(description);
    this.#tellAll(change === 'urgent');
  }

  /** Says that all is as it was, when nothing was said for long. */
  keepAlive(sale: LiveSale): void {
    const { nowMs, pace } = this.#options;
    const isTold = this.#state?.number === this.#told;
    if (!isTold || nowMs() - this.#lastMs < pace.keepAliveMs) return;
    this.#renew(describeState(sale));
    this.#tellAll(false);
  }

  /** Those that have drained since get the newest state; those that have not for too long are closed. */
  catchUp(): void {
    if (this.#behind.size === 0) return;
    const { nowMs, pace, budget } = this.#options;
    const stuckSinceMs = nowMs() - pace.stuckMs;
    budget.pay(() => {
      for (const socket of this.#behind) {
        this.#show(socket);
        if (socket.behindSinceMs !== 0 && socket.behindSinceMs <= stuckSinceMs) socket.drop('stuck');
      }
    });
  }

  /** Sends all away: there will be no more states. */
  dismiss(code: number, text: string): void {
    for (const socket of this.#sockets) socket.sayGoodbye('gone', code, text);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#options.budget.withdraw(this.#turn);
  }

  #renew(description: StateDescription): void {
    const number = (this.#state?.number ?? 0) + 1;
    this.#state = { ...description, number, frame: textFrame(description.text), sinceMs: this.#options.nowMs() };
  }

  /** Urgent news does not wait until `broadcastMs` have passed since the last; everything waits for its turn. */
  #tellAll(urgent: boolean): void {
    // A broadcast that runs looks at its end whether there is more to tell.
    if (this.#closed || this.#broadcasting || (this.#timer !== undefined && !urgent)) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { budget, nowMs, pace } = this.#options;
    const waitMs = urgent ? 0 : this.#lastMs + pace.broadcastMs - nowMs();
    if (waitMs <= 0) {
      budget.ask(this.#turn, urgent);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      budget.ask(this.#turn, false);
    }, waitMs);
  }

  /** In slices, between which the process does other work; a state that comes meanwhile is written to the rest at once. */
  async #writeAll(): Promise<void> {
    const { nowMs, budget, metrics } = this.#options;
    const state = this.#state;
    if (state === undefined) return;
    // What it would have told is told now.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#broadcasting = true;
    this.#told = state.number;
    this.#lastMs = nowMs();
    const sockets = this.#sockets.values();
    while (budget.pay(() => this.#writeSlice(sockets))) await nextTurn();
    this.#broadcasting = false;
    metrics.broadcast((nowMs() - state.sinceMs) / 1000);
    if (this.#state?.number !== state.number) this.#tellAll(this.#state?.standing !== state.standing);
  }

  /** False when there are no more. */
  #writeSlice(sockets: Iterator<Told>): boolean {
    for (let written = 0; written < this.#options.pace.sliceSockets; written += 1) {
      const { value, done } = sockets.next();
      if (done === true) return false;
      this.#show(value);
    }
    return true;
  }

  #show(socket: Told): void {
    const state = this.#state;
    if (state === undefined || socket.shown === state.number) return;
    if (socket.put(state.frame)) {
      socket.shown = state.number;
      socket.behindSinceMs = 0;
      this.#behind.delete(socket);
      return;
    }
    if (socket.missed === state.number) return;
    socket.missed = state.number;
    this.#options.metrics.skipped();
    if (socket.behindSinceMs === 0) socket.behindSinceMs = this.#options.nowMs();
    this.#behind.add(socket);
  }
}
