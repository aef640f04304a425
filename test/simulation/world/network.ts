/**
 * Messages between a process and a store. One direction of a connection keeps the order, as TCP does; different
 * connections overtake each other. What is under way when a connection breaks arrives or not, and nobody is told.
 */
import type { EventLoop, Owner } from '../engine/event-loop.ts';
import type { Random } from '../engine/random.ts';

export interface NetworkOptions {
  readonly loop: EventLoop;
  readonly random: Random;
}

export class Network {
  readonly loop: EventLoop;
  readonly random: Random;
  /** One way, milliseconds: half of the messages take less. */
  latencyMs = 0.2;

  constructor({ loop, random }: NetworkOptions) {
    this.loop = loop;
    this.random = random;
  }

  delayMs(): number {
    return this.random.delayMs(this.latencyMs);
  }
}

/** One direction of one connection. */
export class Channel {
  readonly #network: Network;
  readonly #receiver: Owner | undefined;
  #lastAtMs = 0;

  /** @param receiver undefined: a store, which is always there to receive */
  constructor(network: Network, receiver: Owner | undefined) {
    this.#network = network;
    this.#receiver = receiver;
  }

  /** @param moreMs how much longer than usual this one takes */
  send(arrive: () => void, moreMs = 0): void {
    const { loop } = this.#network;
    const atMs = Math.max(this.#lastAtMs, loop.nowMs + this.#network.delayMs() + moreMs);
    this.#lastAtMs = atMs;
    loop.schedule(atMs - loop.nowMs, this.#receiver, arrive, this.#receiver === undefined);
  }
}
