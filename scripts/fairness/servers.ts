/** The servers of a deployment, asked by a crowd: each answer with when it was asked for and when it came. */
import type { Answer } from '@fest/loadtest/generator/answer-parser';
import { Asker } from '@fest/loadtest/generator/asker';
import { type RequestParts, requestBytes } from '@fest/loadtest/generator/request-bytes';

export interface Told {
  readonly server: number;
  readonly status: number;
  /** Parsed JSON; undefined without any. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** For each server; a crowd's own connections are far more, and slower. */
const CONNECTIONS = 100;

export class CrowdServers {
  readonly #askers: readonly Asker[];
  readonly #failed: (fault: Error) => void;
  /** Never resolves; rejects when a connection fails: an answer that is lost would leave the record with a hole. */
  readonly failed: Promise<never>;

  constructor(baseUrls: readonly string[]) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.failed.catch(() => undefined);
    this.#failed = reject;
    this.#askers = baseUrls.map((url) => {
      const { hostname, port } = new URL(url);
      const onFault = (fault: string): void => this.#failed(new Error(`${url}: ${fault}`));
      return new Asker({ host: hostname, port: Number(port), connections: CONNECTIONS, onFault });
    });
  }

  get count(): number {
    return this.#askers.length;
  }

  ask(server: number, parts: RequestParts): Promise<Told> {
    return new Promise((resolve) => {
      this.#askers[server]?.ask(requestBytes(parts), (answer, sentAt) => {
        resolve({ server, status: answer.status, body: parse(answer), sentAt, answeredAt: performance.now() });
      });
    });
  }

  close(): void {
    for (const asker of this.#askers) asker.close();
  }
}

function parse({ body }: Answer): Told['body'] {
  return body.length === 0 ? {} : JSON.parse(body.toString());
}
