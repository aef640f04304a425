/**
 * Operators who are told once a second how the fleet is. While nobody listens nothing is read; however many listen, one document
 * is made and framed for all. Who has not taken the last one is left out until the next: nothing waits for anybody.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { TOKEN_EXPIRED_CLOSE_CODE } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { LiveSocket } from '../../live/live-socket.ts';
import { CLOSE_CODES, mindManners } from '../../live/socket-manners.ts';
import { PING_FRAME, textFrame } from '../../live/state-frame.ts';

export interface OperatorSocketsOptions {
  /** The newest document, as JSON. */
  readonly read: () => Promise<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly atMost?: number;
}

interface Listener {
  /** Of the access token it came with, Unix milliseconds. */
  readonly expiresAtMs: number;
  /** By `performance.now()`. */
  pingAtMs: number;
}

export class OperatorSockets {
  readonly #options: OperatorSocketsOptions;
  readonly #listeners = new Map<LiveSocket, Listener>();
  /** The last document, while somebody listens. */
  #frame: Buffer | undefined;
  #isTelling = false;
  #stopping = false;

  constructor(options: OperatorSocketsOptions) {
    this.#options = options;
  }

  /** WebSockets that are open. */
  get open(): number {
    return this.#listeners.size;
  }

  get vacancy(): 'free' | 'full' | 'stopping' {
    if (this.#stopping) return 'stopping';
    return this.#listeners.size >= (this.#options.atMost ?? LIMITS.operatorSockets) ? 'full' : 'free';
  }

  /** Takes a socket in; `vacancy` has been asked in the same turn of the event loop. */
  enter(socket: LiveSocket, expiresAtMs: number): void {
    mindManners(socket);
    socket.on('close', () => this.#listeners.delete(socket));
    this.#listeners.set(socket, { expiresAtMs, pingAtMs: performance.now() + LIMITS.liveHeartbeatMs });
    if (this.#stopping) {
      sendAway(socket);
      return;
    }
    if (this.#frame !== undefined) socket.put(this.#frame);
    if (!this.#isTelling) void this.#tellOnAndOn();
  }

  /** Sends everybody away, and waits until they are gone: at most `operatorCloseMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const deadlineMs = performance.now() + LIMITS.operatorCloseMs;
    for (const socket of this.#listeners.keys()) sendAway(socket);
    while (this.#listeners.size > 0 && performance.now() < deadlineMs) await sleep(10);
    for (const socket of this.#listeners.keys()) socket.drop('stopping');
  }

  /** Until nobody listens any more. */
  async #tellOnAndOn(): Promise<void> {
    this.#isTelling = true;
    while (this.#listeners.size > 0 && !this.#stopping) {
      const beganMs = performance.now();
      await this.#tellAll();
      const leftMs = LIMITS.fleetReportMs - (performance.now() - beganMs);
      await sleep(Math.max(0, leftMs), undefined, { ref: false });
    }
    this.#isTelling = false;
    this.#frame = undefined;
  }

  async #tellAll(): Promise<void> {
    const { read, clock, logger } = this.#options;
    try {
      this.#frame = textFrame(await read());
    } catch (error) {
      logger.error({ err: error }, 'the document for operators could not be made');
      this.#frame = undefined;
    }
    const [nowMs, unixMs] = [performance.now(), clock.nowMs()];
    for (const [socket, listener] of this.#listeners) {
      if (unixMs >= listener.expiresAtMs) expire(socket);
      else if (isPresent(socket, listener, nowMs) && this.#frame !== undefined) tell(socket, this.#frame, nowMs);
    }
  }
}

function sendAway(socket: LiveSocket): void {
  socket.sayGoodbye('stopping', CLOSE_CODES.restart, 'server stopping; connect again');
}

function expire(socket: LiveSocket): void {
  socket.sayGoodbye('expired', TOKEN_EXPIRED_CLOSE_CODE, 'the access token has expired; refresh it and connect again');
}

/** Who takes nothing misses documents, and is not waited for for ever. */
function tell(socket: LiveSocket, frame: Buffer, nowMs: number): void {
  if (socket.put(frame)) socket.behindSinceMs = 0;
  else if (socket.behindSinceMs === 0) socket.behindSinceMs = nowMs;
  else if (nowMs - socket.behindSinceMs >= LIMITS.liveStuckMs) socket.drop('stuck');
}

/** Pings now and then; who has not answered by the next time is not there. */
function isPresent(socket: LiveSocket, listener: Listener, nowMs: number): boolean {
  if (nowMs < listener.pingAtMs) return true;
  if (socket.owesPong) {
    socket.drop('silent');
    return false;
  }
  if (socket.put(PING_FRAME)) {
    listener.pingAtMs = nowMs + LIMITS.liveHeartbeatMs;
    socket.controlFrames = 0;
    socket.owesPong = true;
  }
  return true;
}
