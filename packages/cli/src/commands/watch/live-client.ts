/** The line to `/operations/live`: connects, connects again, says how things stand. */
import { type OperationsLive, TOKEN_EXPIRED_CLOSE_CODE } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import { WebSocket } from 'undici';
import { callApi } from '../../api-client.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { SessionHolder } from '../../session.ts';
import { WATCH_LIMITS } from './limits.ts';
import { parseLiveMessage } from './live-document.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { Connection } from './state.ts';

export interface LiveListener {
  onDocument(document: OperationsLive): void;
  onConnection(connection: Connection): void;
  /** The first connection did not come about, for a reason that has to be put right by somebody. Nothing comes after it. */
  onRefused(error: FixableError): void;
}

export interface LiveClientOptions {
  /** Servers of one deployment; when one is lost the next is asked. */
  readonly urls: readonly string[];
  readonly session: SessionHolder;
  readonly listener: LiveListener;
  now(): number;
  random(): number;
}

/** What one connection came to. */
interface Ended {
  /** Whether a document has come over it. */
  readonly wasLive: boolean;
  readonly why: string;
  /** The token has run out: nothing is wrong, a new one is fetched. */
  readonly hasExpired: boolean;
}

export class LiveClient {
  readonly #options: LiveClientOptions;
  readonly #stop = new AbortController();
  #refusedToken: string | undefined;
  #isRenewed = false;
  #hasBeenLive = false;

  constructor(options: LiveClientOptions) {
    this.#options = options;
  }

  /** Resolves when it was closed or refused. */
  async run(): Promise<void> {
    const { urls, listener, now, random } = this.#options;
    let failures = 0;
    for (let place = 0; !this.#stop.signal.aborted; place = (place + 1) % urls.length) {
      const url = urls[place] ?? '';
      const ended = await this.#connectOnce(url, failures + 1 >= urls.length);
      if (ended === undefined || this.#stop.signal.aborted) return;
      if (ended.hasExpired) {
        // The same server once more.
        place = (place + urls.length - 1) % urls.length;
        continue;
      }
      failures = ended.wasLive ? 1 : failures + 1;
      const delayMs = retryDelayMs(failures, random());
      listener.onConnection({ status: 'lost', url, why: ended.why, retryAtMs: now() + delayMs });
      await this.#sleep(delayMs);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  /**
   * One connection from its beginning to its end; undefined when it was refused for good.
   * @param isLastHope no other server is left that has not been asked
   */
  async #connectOnce(url: string, isLastHope: boolean): Promise<Ended | undefined> {
    this.#options.listener.onConnection({ status: 'connecting', url });
    try {
      const token = await this.#findToken();
      const ended = await this.#listen(url, token);
      if (ended.wasLive || this.#stop.signal.aborted) return ended;
      await this.#explain(url, token);
      return ended;
    } catch (error) {
      if (!(error instanceof FixableError)) throw error;
      if (this.#hasBeenLive || !isLastHope || this.#isPassing(error))
        // A sentence goes on behind it.
        return { wasLive: false, why: error.message.replace(/\.$/, ''), hasExpired: false };
      this.#options.listener.onRefused(error);
      return undefined;
    }
  }

  /** A token that was refused is not tried twice. */
  async #findToken(): Promise<string> {
    const { session } = this.#options;
    const refused = this.#refusedToken;
    this.#refusedToken = undefined;
    this.#isRenewed = refused !== undefined;
    return refused === undefined ? session.findAccessToken() : session.renewAccessToken(refused);
  }

  #listen(url: string, token: string): Promise<Ended> {
    const { listener } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${pathOf('operationsLive')}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const begunAtMs = performance.now();
      let wasLive = false;
      let hasExpired = false;
      let timer: NodeJS.Timeout;
      const end = (why: string): void => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener('abort', stopped);
        socket.onmessage = null;
        socket.onclose = null;
        if (socket.readyState !== WebSocket.CLOSED) socket.close();
        resolve({ wasLive, why, hasExpired });
      };
      const stopped = (): void => end('closed');
      const expectWithin = (ms: number): void => {
        clearTimeout(timer);
        timer = setTimeout(() => end(`nothing came for ${ms / 1_000} s`), ms);
      };
      this.#stop.signal.addEventListener('abort', stopped, { once: true });
      expectWithin(WATCH_LIMITS.connectMs);
      // Without a listener it would be thrown; `close` follows and says the same.
      socket.onerror = () => undefined;
      socket.onclose = ({ code, reason }) => {
        // One that runs out at once, by a clock that is wrong, is a failure like others.
        hasExpired =
          wasLive && code === TOKEN_EXPIRED_CLOSE_CODE && performance.now() - begunAtMs >= WATCH_LIMITS.expiryMinMs;
        if (code === TOKEN_EXPIRED_CLOSE_CODE) this.#refusedToken = token;
        end(describeClose(code, reason));
      };
      socket.onmessage = ({ data }) => {
        expectWithin(WATCH_LIMITS.silenceMs);
        const message = parseLiveMessage(String(data));
        if (message.status === 'foreign') return end(message.why);
        try {
          if (!wasLive) listener.onConnection({ status: 'live', url });
          wasLive = true;
          this.#hasBeenLive = true;
          listener.onDocument(message.document);
        } catch (error) {
          // Thrown in here, it would end the process before anybody could give the terminal back.
          reject(error);
          end('');
        }
      };
    });
  }

  /**
   * A WebSocket that was not opened says nothing about why; a plain request for the same is told.
   * @throws FixableError when there is a reason
   */
  async #explain(url: string, token: string): Promise<void> {
    try {
      await callApi(url, { method: 'GET', path: pathOf('operationsLive'), accessToken: token });
    } catch (error) {
      if (!(error instanceof FixableError)) throw error;
      const { problemCode } = error.details;
      // It would have let us in, had we come as a WebSocket: something between here and there does not let those through.
      if (problemCode === 'upgrade_required') return;
      if (problemCode === 'unauthenticated') this.#refusedToken = token;
      if (problemCode === 'not_found') throw tooOld(url, error);
      throw error;
    }
  }

  /** Worth another attempt although nothing has been seen yet: a token that was refused is renewed once, an overload passes. */
  #isPassing({ details }: FixableError): boolean {
    if (details.problemCode === 'unauthenticated') return !this.#isRenewed;
    return details.problemCode === 'overloaded';
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#stop.signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function describeClose(code: number, reason: string): string {
  if (reason !== '') return reason;
  if (code === 1001 || code === 1012) return 'the server stops';
  return code === 1006 ? 'the line broke' : `closed with ${code}`;
}

function tooOld(url: string, cause: FixableError): FixableError {
  return new FixableError({
    what: `The server at ${url} does not tell how it does`,
    why: 'it has no /operations/live: it is older than this fest',
    fix: 'Use the fest of its version; `fest sale show <id>` works with it.',
    exitCode: EXIT.refused,
    cause,
  });
}
