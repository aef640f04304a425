/** The simulated Redis on the simulated network: connections that break, a process that hangs or is replaced. */
import type { EventEmitter } from 'node:events';
import { LIMITS } from '@fest/server/limits';
import type { Redis } from 'ioredis';
import type { Reply } from '../lua/compile.ts';
import type { Keyspace } from '../redis/keyspace.ts';
import { createRedisClient } from '../redis/redis-client.ts';
import type { RedisServer } from '../redis/redis-server.ts';
import type { SimulatedProcess } from './machine.ts';
import { Channel, type Network } from './network.ts';

const RECONNECT_MS = 50;

export class RedisNode {
  readonly server: RedisServer;
  readonly network: Network;
  readonly #connections = new Set<RedisConnection>();
  readonly #parked: (() => void)[] = [];
  readonly #subscribers = new Map<string, Set<RedisConnection>>();
  isUp = true;
  /** How its clock differs from the true time, milliseconds. */
  clockOffsetMs = 0;
  #hangs = false;
  /** How likely the reply of a command is lost, with the connection. */
  lossRate = 0;
  /** How much longer than usual a reply is under way, milliseconds at most. */
  slowReplyMs = 0;
  /** How much longer than usual the commands of these processes are under way, milliseconds at most. */
  readonly slowRequestMs = new Map<SimulatedProcess, number>();

  constructor(server: RedisServer, network: Network) {
    this.server = server;
    this.network = network;
  }

  connect(process: SimulatedProcess): RedisConnection {
    const connection = new RedisConnection(this, process);
    this.#connections.add(connection);
    process.onDeath.add(() => this.#forget(connection));
    return connection;
  }

  get hangs(): boolean {
    return this.#hangs;
  }

  // --- faults -------------------------------------------------------------------------------------------------------

  /** The process ends; another one starts with what is in a snapshot, or with nothing, when `start` is called. */
  stop(): void {
    this.isUp = false;
    this.#hangs = false;
    this.#parked.splice(0);
    this.breakConnections();
  }

  start(from: Keyspace | undefined): void {
    if (this.isUp) return;
    this.server.restart(from);
    this.isUp = true;
  }

  hang(): void {
    this.#hangs = true;
  }

  goOn(): void {
    this.#hangs = false;
    for (const run of this.#parked.splice(0)) run();
  }

  breakConnections(matching: (process: SimulatedProcess) => boolean = () => true): void {
    for (const connection of [...this.#connections]) if (matching(connection.process)) connection.break();
  }

  // --- for connections ----------------------------------------------------------------------------------------------

  /** Runs now, or when Redis goes on. */
  whenResponsive(run: () => void): void {
    if (this.#hangs) this.#parked.push(run);
    else run();
  }

  subscribe(channel: string, connection: RedisConnection): void {
    const subscribers = this.#subscribers.get(channel) ?? new Set();
    this.#subscribers.set(channel, subscribers.add(connection));
  }

  publish(channel: string, text: string): number {
    const subscribers = this.#subscribers.get(channel) ?? new Set();
    for (const connection of subscribers) connection.receive(channel, text);
    return subscribers.size;
  }

  unsubscribe(connection: RedisConnection): void {
    for (const subscribers of this.#subscribers.values()) subscribers.delete(connection);
  }

  #forget(connection: RedisConnection): void {
    this.#connections.delete(connection);
    this.unsubscribe(connection);
  }
}

interface Pending {
  readonly sentAtMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** One connection of a process; after a break it comes back by itself, as ioredis does. */
export class RedisConnection {
  readonly process: SimulatedProcess;
  readonly client: Redis & EventEmitter;
  readonly #node: RedisNode;
  readonly #pending = new Set<Pending>();
  #requests: Channel;
  #replies: Channel;
  /** Which of the connections, one after the other, this is; what belongs to an earlier one is lost. */
  #life = 0;
  #ready = false;

  constructor(node: RedisNode, process: SimulatedProcess) {
    this.#node = node;
    this.process = process;
    this.#requests = new Channel(node.network, undefined);
    this.#replies = new Channel(node.network, process);
    const disconnect = (reconnect = false): void => this.break(reconnect);
    this.client = createRedisClient((name, args) => this.#send(name, args), { disconnect });
  }

  /** In the process: begins to connect. `ready` follows. */
  open(): void {
    const { loop } = this.#node.network;
    const life = this.#life;
    loop.schedule(this.#node.network.delayMs(), this.process, () => {
      if (life !== this.#life) return;
      if (!this.#node.isUp) {
        this.#openLater();
        return;
      }
      this.#requests = new Channel(this.#node.network, undefined);
      this.#replies = new Channel(this.#node.network, this.process);
      this.#ready = true;
      this.client.emit('ready');
    });
  }

  /** The connection is gone, whoever did it; the process notices at once. */
  break(reconnect = true): void {
    this.#life += 1;
    const wasReady = this.#ready;
    this.#ready = false;
    this.#node.unsubscribe(this);
    const { loop } = this.#node.network;
    const lost = [...this.#pending];
    this.#pending.clear();
    loop.schedule(0, this.process, () => {
      if (wasReady) this.client.emit('close');
      for (const { reject } of lost) reject(new Error('Connection is closed.'));
      if (reconnect) this.#openLater();
    });
  }

  /** A message of a channel. */
  receive(channel: string, text: string): void {
    this.#replies.send(() => this.client.emit('message', channel, text));
  }

  #openLater(): void {
    const life = this.#life;
    this.#node.network.loop.schedule(RECONNECT_MS, this.process, () => {
      if (life === this.#life) this.open();
    });
  }

  #send(name: string, args: readonly string[]): Promise<Reply> {
    if (!this.#ready) {
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    }
    return new Promise((resolve, reject) => {
      const pending: Pending = { sentAtMs: this.#node.network.loop.nowMs, resolve, reject };
      this.#pending.add(pending);
      const life = this.#life;
      const { slowRequestMs, network } = this.#node;
      const mostMs = slowRequestMs.get(this.process) ?? 0;
      const moreMs = mostMs === 0 ? 0 : network.random.between(0, mostMs);
      this.#requests.send(() => this.#arrive(life, name, args, pending), moreMs);
    });
  }

  #arrive(life: number, name: string, args: readonly string[], pending: Pending): void {
    const node = this.#node;
    if (!node.isUp) return;
    // What was under way when the connection broke: half of it had reached Redis before.
    if (life !== this.#life && node.network.random.chance(0.5)) return;
    if (node.hangs) this.#giveUpLater(pending);
    node.whenResponsive(() => this.#execute(life, name, args, pending));
  }

  #execute(life: number, name: string, args: readonly string[], pending: Pending): void {
    const settle = this.#run(name, args, pending);
    if (life !== this.#life) return;
    if (this.#node.network.random.chance(this.#node.lossRate)) {
      this.break();
      return;
    }
    const { slowReplyMs, network } = this.#node;
    const moreMs = slowReplyMs === 0 ? 0 : network.random.between(0, slowReplyMs);
    this.#replies.send(() => {
      if (this.#pending.delete(pending)) settle();
    }, moreMs);
  }

  #run(name: string, args: readonly string[], { resolve, reject }: Pending): () => void {
    try {
      const reply = this.#reply(name, args);
      return () => resolve(reply);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
      return () => reject(error);
    }
  }

  #reply(name: string, args: readonly string[]): Reply {
    if (name === 'SUBSCRIBE') {
      this.#node.subscribe(args[0] ?? '', this);
      return args.length;
    }
    if (name === 'PUBLISH') return this.#node.publish(args[0] ?? '', args[1] ?? '');
    return this.#node.server.execute(name, args);
  }

  #giveUpLater(pending: Pending): void {
    const { loop } = this.#node.network;
    const leftMs = pending.sentAtMs + LIMITS.redisCommandTimeoutMs - loop.nowMs;
    loop.schedule(leftMs, this.process, () => {
      if (this.#pending.delete(pending)) pending.reject(new Error('Command timed out'));
    });
  }
}
