/** As many requests as a server takes and more: pipelined on many connections, by kind, counted by status. */
import { connect, type Socket } from 'node:net';

export type FloodCounts<Kind extends string> = Readonly<Record<Kind, Readonly<Record<number, number>>>>;

const HEAD_END = '\r\n\r\n';

export class Flood<Kind extends string> {
  readonly #requests: Readonly<Record<Kind, (index: number) => string>>;
  readonly #port: number;
  readonly #connections: number;
  readonly #pipelined: number;
  readonly #counts: Record<Kind, Record<number, number>>;
  readonly #seconds = new Set<number>();
  #missing = 0;
  readonly #sockets: Socket[] = [];
  #sent = 0;
  #stopped = false;

  /** @param requests whole requests, by kind; the index grows with each */
  constructor(
    port: number,
    connections: number,
    pipelined: number,
    requests: Readonly<Record<Kind, (index: number) => string>>,
  ) {
    this.#port = port;
    this.#connections = connections;
    this.#pipelined = pipelined;
    this.#requests = requests;
    this.#counts = Object.fromEntries(Object.keys(requests).map((kind) => [kind, {}])) as Record<
      Kind,
      Record<number, number>
    >;
  }

  /** Sends when all are connected: a server whose loop is busy accepts few connections in each round of it. */
  async start(): Promise<void> {
    const kinds = Object.keys(this.#requests) as Kind[];
    const senders = kinds.flatMap((kind) => Array.from({ length: this.#connections }, () => this.#open(kind)));
    for (const send of await Promise.all(senders)) send();
  }

  /** Answers so far, by kind and status. */
  counts(): FloodCounts<Kind> {
    return structuredClone(this.#counts);
  }

  /** What refusals said; `missing`: so many did not say when to come back. */
  retryAfters(): { readonly seconds: ReadonlySet<number>; readonly missing: number } {
    return { seconds: this.#seconds, missing: this.#missing };
  }

  stop(): void {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(kind: Kind): Promise<() => void> {
    const socket = connect(this.#port, '127.0.0.1');
    this.#sockets.push(socket);
    let owed = 0;
    let tail = '';
    const send = (): void => {
      let text = '';
      for (let index = 0; index < this.#pipelined; index += 1) text += this.#requests[kind](this.#sent++);
      owed += this.#pipelined;
      socket.write(text, 'latin1');
    };
    socket.setEncoding('latin1');
    const connected = new Promise<() => void>((resolve, reject) => {
      socket.once('connect', () => resolve(send)).once('error', reject);
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk: string) => {
      const text = tail + chunk;
      let at = 0;
      for (let end = endOfAnswer(text, at); end !== undefined; end = endOfAnswer(text, at)) {
        this.#count(kind, text.slice(at, text.indexOf(HEAD_END, at)));
        at = end;
        owed -= 1;
      }
      tail = text.slice(at);
      if (owed === 0 && !this.#stopped) send();
    });
    return connected;
  }

  #count(kind: Kind, head: string): void {
    const status = Number(head.slice(9, 12));
    this.#counts[kind][status] = (this.#counts[kind][status] ?? 0) + 1;
    if (status !== 503) return;
    const seconds = /\r\nretry-after: (\d+)/i.exec(head)?.[1];
    if (seconds === undefined) this.#missing += 1;
    else this.#seconds.add(Number(seconds));
  }
}

/** Where the answer that begins at `from` ends; undefined: it is not whole yet. */
function endOfAnswer(text: string, from: number): number | undefined {
  const headEnd = text.indexOf(HEAD_END, from);
  if (headEnd === -1) return undefined;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(from, headEnd))?.[1] ?? 0);
  const end = headEnd + HEAD_END.length + length;
  return end <= text.length ? end : undefined;
}
