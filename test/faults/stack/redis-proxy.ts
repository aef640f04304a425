/**
 * A TCP proxy between one server and Redis, so that the network between them can fail: replies that are lost after the
 * command went through, replies that are late, and a line that is cut. One proxy a server: the others go on as they were.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface LostReplies {
  /** Resolves when the first reply was dropped. */
  readonly begun: Promise<void>;
  /** Replies dropped so far. */
  readonly dropped: () => number;
  /** Ends it, whether or not all replies it was asked for have been dropped. */
  readonly end: () => void;
}

/** A script call: what changes the state of a sale. Inline commands are not used by clients. */
const SCRIPT_CALL = /\r\n(EVALSHA|EVAL)\r\n/i;

interface Losing {
  left: number;
  dropped: number;
  readonly begin: () => void;
}

/** One connection of the server, and the one to Redis behind it. */
interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Replies that are late, in their order. */
  readonly late: Array<{ readonly chunk: Buffer; readonly dueMs: number }>;
  /** The next reply is swallowed and the connection closed. */
  doomed: boolean;
}

export class RedisProxy {
  readonly #server: Server;
  readonly #redisPort: number;
  readonly #links = new Set<Link>();
  #losing: Losing | undefined;
  #delayMs = 0;
  #cut = false;

  private constructor(redisPort: number) {
    this.#redisPort = redisPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async open(redisPort: number, host: string): Promise<RedisProxy> {
    const proxy = new RedisProxy(redisPort);
    proxy.#server.listen(0, host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Drops the replies to the next `count` batches of commands with a script call, each with its connection. */
  loseReplies(count: number): LostReplies {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const losing: Losing = { left: count, dropped: 0, begin };
    this.#losing = losing;
    return {
      begun,
      dropped: () => losing.dropped,
      end: () => {
        losing.left = 0;
        begin();
      },
    };
  }

  /** Every reply comes that much later; 0 ends it. */
  delayReplies(ms: number): void {
    this.#delayMs = ms;
  }

  /** Breaks all connections and takes no new ones, until it is mended. */
  cutOff(): void {
    this.#cut = true;
    for (const link of this.#links) destroy(link);
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cutOff();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#cut) {
      client.destroy();
      return;
    }
    const upstream = connect({ port: this.#redisPort, host: client.localAddress, noDelay: true });
    client.setNoDelay(true);
    const link: Link = { client, upstream, late: [], doomed: false };
    this.#links.add(link);
    const end = (): void => {
      destroy(link);
      this.#links.delete(link);
    };
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => this.#forward(link, chunk));
    upstream.on('data', (chunk) => this.#reply(link, chunk));
  }

  #forward(link: Link, chunk: Buffer): void {
    if (
      this.#losing !== undefined &&
      this.#losing.left > 0 &&
      !link.doomed &&
      SCRIPT_CALL.test(chunk.toString('latin1'))
    ) {
      this.#losing.left -= 1;
      link.doomed = true;
    }
    pass(chunk, link.client, link.upstream);
  }

  #reply(link: Link, chunk: Buffer): void {
    if (link.doomed) {
      // Redis has executed what it answers: the reply is lost on its way, and so is the connection.
      if (this.#losing !== undefined) {
        this.#losing.dropped += 1;
        this.#losing.begin();
      }
      destroy(link);
      return;
    }
    if (this.#delayMs === 0 && link.late.length === 0) {
      pass(chunk, link.upstream, link.client);
      return;
    }
    // When the delay ends, replies go on in their order: a later one does not overtake.
    link.late.push({ chunk, dueMs: performance.now() + this.#delayMs });
    if (link.late.length === 1) this.#passLate(link);
  }

  #passLate(link: Link): void {
    const [next] = link.late;
    if (next === undefined) return;
    const waitMs = Math.max(0, next.dueMs - performance.now());
    setTimeout(() => {
      pass(next.chunk, link.upstream, link.client);
      link.late.shift();
      this.#passLate(link);
    }, waitMs);
  }
}

/** Writes, and lets the source wait while the target cannot take more. */
function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

function destroy({ client, upstream }: Link): void {
  client.destroy();
  upstream.destroy();
}
