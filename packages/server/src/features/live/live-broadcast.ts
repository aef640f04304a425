/** Everybody who is told states: who may come in, who is still there, and how they are sent away. */
import { randomInt } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { BroadcastBudget, type BudgetPace } from './broadcast-budget.ts';
import { createLiveMetrics, type LiveMetrics } from './live-metrics.ts';
import type { LiveSocket } from './live-socket.ts';
import { ReturnTimes } from './return-times.ts';
import { Room, type RoomPace } from './room.ts';
import { type SeatLimits, Seats, type Vacancy } from './seats.ts';
import { CLOSE_CODES, mindManners, shared } from './socket-manners.ts';
import { PING_FRAME } from './state-frame.ts';

/** Where states come from; `LiveSales` is one. */
export interface StateSource {
  readonly followed: ReadonlySet<number>;
  /** Undefined while the state cannot be trusted. */
  get(saleId: number): LiveSale | undefined;
  /** @param listener is called with every state that was read */
  onRead(listener: (sale: LiveSale) => void): void;
}

/** See `LIMITS.live…`. */
export interface LivePace extends RoomPace, BudgetPace {
  beatMs: number;
  heartbeatMs: number;
  closeMs: number;
  returnMs: number;
}

export interface LiveBroadcastOptions {
  readonly states: StateSource;
  readonly seats: SeatLimits;
  readonly logger: Logger;
  /** A whole number from 0 to below the argument. */
  readonly random?: (below: number) => number;
  readonly nowMs?: () => number;
  /** See `BudgetOptions`. */
  readonly cpuMs?: () => number;
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** What ws reports when the connection ended without a close frame. */
const NO_GOODBYE = 1006;
/** Of our own (4000 to 4999), after HTTP's 404. */
const SALE_GONE = 4404;

export class LiveBroadcast {
  /** May be changed while it runs: tests have less patience. */
  readonly pace: LivePace = {
    beatMs: LIMITS.liveBeatMs,
    broadcastMs: LIMITS.liveBroadcastMs,
    broadcastShare: LIMITS.liveBroadcastShare,
    creditMs: LIMITS.liveCreditMs,
    urgentAheadMs: LIMITS.liveUrgentAheadMs,
    sliceSockets: LIMITS.liveSliceSockets,
    keepAliveMs: LIMITS.liveKeepAliveMs,
    stuckMs: LIMITS.liveStuckMs,
    heartbeatMs: LIMITS.liveHeartbeatMs,
    closeMs: LIMITS.liveCloseMs,
    returnMs: LIMITS.liveReturnMs,
  };
  readonly metrics: LiveMetrics;
  readonly #options: LiveBroadcastOptions;
  readonly #random: (below: number) => number;
  readonly #nowMs: () => number;
  readonly #seats: Seats;
  readonly #budget: BroadcastBudget;
  readonly #returnTimes = new ReturnTimes({
    fullRetryMs: LIMITS.liveFullRetryMs,
    fullRetryMaxMs: LIMITS.liveFullRetryMaxMs,
    returnsPerSecond: LIMITS.liveReturnsPerSecond,
  });
  readonly #sockets = new Set<LiveSocket>();
  readonly #rooms = new Map<number, Room>();
  readonly #onClose = shared((socket, code: number) => this.#forget(socket, code));
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: LiveBroadcastOptions) {
    this.#options = options;
    this.#random = options.random ?? ((below) => randomInt(below));
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#seats = new Seats(options.seats);
    this.#budget = new BroadcastBudget({ pace: this.pace, nowMs: this.#nowMs, cpuMs: options.cpuMs ?? threadCpuMs });
    this.metrics = createLiveMetrics(() => this.#sockets.size);
    options.states.onRead((sale) => this.#rooms.get(sale.saleId)?.offer(sale));
  }

  /** WebSockets that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Nobody finds room, whoever it is. */
  get isFull(): boolean {
    return this.#seats.areTaken && !this.#stopping;
  }

  /** Whether somebody may come in; who may not counts as refused. @param origin see `originOf` */
  vacancy(origin: string | undefined): Vacancy | 'stopping' {
    if (this.#stopping) return 'stopping';
    const vacancy = this.#seats.vacancy(origin);
    if (vacancy !== 'free') {
      this.metrics.refused(vacancy);
      this.#returnTimes.note(this.#nowMs());
    }
    return vacancy;
  }

  /** How long somebody who found no room should wait, milliseconds. */
  retryAfterMs(): number {
    const leastMs = this.#returnTimes.leastMs(this.#nowMs());
    return leastMs + this.#random(leastMs);
  }

  /** Takes a socket in; it is told the newest state at once. `vacancy` has been asked in the same turn of the event loop. */
  enter(socket: LiveSocket, sale: LiveSale, origin: string | undefined): void {
    if (this.#stopping) {
      // Nobody else would, and the server waits until it has gone.
      this.#sendAway(socket);
      return;
    }
    socket.saleId = sale.saleId;
    socket.origin = origin;
    const { heartbeatMs } = this.pace;
    // Those who came together are not all pinged together.
    socket.heartbeatAtMs = this.#nowMs() + heartbeatMs / 2 + this.#random(Math.ceil(heartbeatMs / 2));
    this.#seats.take(origin);
    this.#sockets.add(socket);
    this.#listenTo(socket);
    this.#room(sale.saleId).enter(socket, sale);
    this.#startBeat();
  }

  /** Sends everybody away, spread out, and waits until they are gone: at most `closeMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    for (const room of this.#rooms.values()) room.close();
    const { closeMs, sliceSockets } = this.pace;
    const deadlineMs = this.#nowMs() + closeMs;
    let told = 0;
    for (const socket of this.#sockets) {
      this.#sendAway(socket);
      told += 1;
      if (told % sliceSockets === 0) await nextTurn();
    }
    while (this.#sockets.size > 0 && this.#nowMs() < deadlineMs) await sleep(10);
    for (const socket of this.#sockets) socket.drop('stopping');
    if (told > 0) this.#options.logger.info({ sockets: told }, 'sent the live sockets away');
  }

  #sendAway(socket: LiveSocket): void {
    const retryAfterMs = this.#random(this.pace.returnMs);
    socket.sayGoodbye('stopping', CLOSE_CODES.restart, `server stopping; retryAfterMs=${retryAfterMs}`);
  }

  #room(saleId: number): Room {
    const known = this.#rooms.get(saleId);
    if (known !== undefined) return known;
    const room = new Room({ pace: this.pace, budget: this.#budget, metrics: this.metrics, nowMs: this.#nowMs });
    this.#rooms.set(saleId, room);
    return room;
  }

  #listenTo(socket: LiveSocket): void {
    mindManners(socket);
    socket.on('close', this.#onClose);
  }

  #forget(socket: LiveSocket, code: number): void {
    this.#sockets.delete(socket);
    this.#seats.leave(socket.origin);
    const room = this.#rooms.get(socket.saleId);
    room?.leave(socket);
    if (room?.size === 0) {
      room.close();
      this.#rooms.delete(socket.saleId);
    }
    this.metrics.ended(socket.endedBy ?? (code === NO_GOODBYE ? 'lost' : 'client'));
  }

  #startBeat(): void {
    if (this.#timer !== undefined || this.#stopping) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#beat();
      if (this.#sockets.size > 0) this.#startBeat();
    }, this.pace.beatMs);
    this.#timer.unref();
  }

  /** For everything that is due by time alone. Ten thousand sockets are looked at within a fraction of a millisecond. */
  #beat(): void {
    const { states } = this.#options;
    const nowMs = this.#nowMs();
    for (const socket of this.#sockets) if (socket.heartbeatAtMs <= nowMs) this.#heartbeat(socket, nowMs);
    for (const [saleId, room] of this.#rooms) {
      room.catchUp();
      const sale = states.get(saleId);
      // Without a state that can be trusted nothing is said: the silence tells clients that the line is stale.
      if (sale !== undefined) room.keepAlive(sale);
      else if (!states.followed.has(saleId)) room.dismiss(SALE_GONE, 'the sale was deleted');
    }
  }

  /**
   * Who has not answered since the last ping is not there, or does not read. This also bounds what waits for a slow client in
   * the kernel's buffers, which we do not see.
   */
  #heartbeat(socket: LiveSocket, nowMs: number): void {
    if (socket.owesPong) {
      socket.drop('silent');
      return;
    }
    if (!socket.put(PING_FRAME)) {
      // What was not sent cannot be answered; the next beat tries again. Rooms look for the stuck only when there is a state.
      if (socket.behindSinceMs === 0) socket.behindSinceMs = nowMs;
      else if (nowMs - socket.behindSinceMs >= this.pace.stuckMs) socket.drop('stuck');
      return;
    }
    socket.behindSinceMs = 0;
    socket.heartbeatAtMs = nowMs + this.pace.heartbeatMs;
    socket.controlFrames = 0;
    socket.owesPong = true;
  }
}
