/** What the end of a WebSocket before its time means (`docs/api.md`, "Live states"). Pure. */

export interface SocketEnd {
  /** Of the close frame; undefined: there was none. */
  readonly code: number | undefined;
  readonly reason: string | undefined;
  /** It was closed by us, because nothing was said for too long. */
  readonly isSilent: boolean;
  /** What the connection broke with. */
  readonly error: string | undefined;
}

/** The server stops, and says when to come back. */
const RESTART = 1012;

export interface SocketEndMeaning {
  /** A word for what should not have been; undefined: the contract knows such ends. */
  readonly fault: string | undefined;
  /** Undefined: not told. */
  readonly returnAfterMs: number | undefined;
}

export function endOfSocket({ code, reason = '', isSilent, error }: SocketEnd): SocketEndMeaning {
  if (isSilent) return { fault: 'silent', returnAfterMs: undefined };
  if (code === RESTART) {
    const [, told] = /retryAfterMs=(\d+)/.exec(reason) ?? [];
    return { fault: undefined, returnAfterMs: told === undefined ? undefined : Number(told) };
  }
  if (code !== undefined) return { fault: `closed${code}`, returnAfterMs: undefined };
  return { fault: error === undefined ? 'closed' : 'socket', returnAfterMs: undefined };
}
