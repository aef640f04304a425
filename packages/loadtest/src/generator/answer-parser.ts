/**
 * HTTP/1.1 answers on a connection that has at most one request under way. Only what our servers send is understood: a status
 * line, headers, and a body whose length is announced. Anything else is an error, so that nothing wrong is counted as an answer.
 */

export interface Answer {
  readonly status: number;
  /** May be a part of the socket's buffer: valid only until the call that got it returns. */
  readonly body: Buffer;
}

/** Far above what a server may send as headers; beyond it something else is wrong. */
const HEAD_BYTES_MAX = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
const LENGTH = /\r\ncontent-length:[ \t]*(\d+)[ \t]*(?:\r\n|$)/i;
const CLOSES = /\r\nconnection:[ \t]*close[ \t]*(?:\r\n|$)/i;
const STATUS_LINE = /^HTTP\/1\.1 (\d{3})(?: |\r\n|$)/;

/** Without a body whatever their headers say (RFC 9110, 6.4.1). */
const isBodiless = (status: number): boolean => status === 204 || status === 304;

/** Bytes that are no answer this generator understands. */
export class AnswerFormatError extends Error {
  override readonly name = 'AnswerFormatError';
}

export class AnswerParser {
  #pending: Buffer = NOTHING;

  /** Whether an answer has begun and is not complete. */
  get partial(): boolean {
    return this.#pending.length > 0;
  }

  /**
   * Takes what has arrived; the answer when it is complete.
   *
   * @throws {AnswerFormatError} for more than one answer, an announced close, or a body of unknown length
   */
  take(chunk: Buffer): Answer | undefined {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd === -1) return this.#wait(bytes);
    const head = bytes.toString('latin1', 0, headEnd);
    const status = Number(STATUS_LINE.exec(head)?.[1]);
    if (!(status >= 200)) throw new AnswerFormatError(`not an answer: ${JSON.stringify(head.slice(0, 80))}`);
    if (CLOSES.test(head)) throw new AnswerFormatError(`the server closes the connection after ${status}`);
    const length = isBodiless(status) ? 0 : Number(LENGTH.exec(head)?.[1]);
    if (Number.isNaN(length)) throw new AnswerFormatError(`an answer ${status} without Content-Length`);
    const from = headEnd + HEAD_END.length;
    const end = from + length;
    if (bytes.length < end) return this.#wait(bytes);
    if (bytes.length > end) throw new AnswerFormatError(`${bytes.length - end} bytes after an answer ${status}`);
    this.#pending = NOTHING;
    return { status, body: bytes.subarray(from, end) };
  }

  #wait(bytes: Buffer): undefined {
    if (bytes.length > HEAD_BYTES_MAX && !bytes.includes(HEAD_END)) {
      throw new AnswerFormatError(`no end of the headers within ${HEAD_BYTES_MAX} bytes`);
    }
    // The socket's buffer is used again for what comes next.
    this.#pending = Buffer.from(bytes);
    return undefined;
  }
}
