/**
 * A connection whose commands of one turn of the event loop go out in one write. ioredis writes each by itself, and that system
 * call is the dearest part of a command; while a crowd is served, a turn brings dozens of them.
 *
 * Not ioredis' `enableAutoPipelining`: it makes pipelines of them, each command of which is a promise more, and with few at once
 * that costs more than it saves.
 */
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';

/** What ioredis takes and gives is its own affair: it is handed on. */
type SendCommand = Redis['sendCommand'];

/** A turn may be long: while thousands of sockets are ready, libuv reads them all. Redis is not to wait for all of them. */
const GATHERED_MAX = 64;
const GATHERED_MS = 1;

export class GatheringRedis extends Redis {
  #gathering: Redis['stream'] | undefined;
  #gathered = 0;
  #sinceMs = 0;

  /** To be called now and then by whoever takes up a turn: what waits for too long goes out. @param nowMs as `performance.now()` */
  sendOverdue(nowMs: number): void {
    if (this.#gathered > 0 && nowMs - this.#sinceMs > GATHERED_MS) this.#sendGathered();
  }

  /** Commands wait until the sockets that have something to say have been read, and no longer. */
  override sendCommand(...command: Parameters<SendCommand>): ReturnType<SendCommand> {
    // There is none while it is not connected, though the types have one.
    const stream = this.stream as Redis['stream'] | undefined;
    if (stream !== undefined) this.#gather(stream);
    return super.sendCommand(...command);
  }

  #gather(stream: Redis['stream']): void {
    if (stream !== this.#gathering) {
      this.#gathering = stream;
      this.#gathered = 0;
      stream.cork();
      setImmediate(() => {
        stream.uncork();
        if (this.#gathering !== stream) return;
        this.#gathering = undefined;
        this.#gathered = 0;
      });
    } else if (this.#gathered === GATHERED_MAX) this.#sendGathered();
    if (this.#gathered === 0) this.#sinceMs = performance.now();
    this.#gathered += 1;
  }

  #sendGathered(): void {
    this.#gathered = 0;
    this.#gathering?.uncork();
    this.#gathering?.cork();
  }
}
