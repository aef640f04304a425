/** What k6 and the script say, kept in a file of bounded size, and what of it explains a failure. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { K6_LIMITS } from './limits.ts';

/** An entry of k6's log that says what went wrong. */
interface LoggedError {
  readonly message: string;
  /** Thrown by the script, in a visit or beside it. */
  readonly isException: boolean;
}

export class K6Log {
  readonly #file: number;
  #bytes = 0;
  #left = 0;
  #exceptions = 0;
  #firstException: string | undefined;
  readonly #lastErrors: string[] = [];

  /** Overwrites the file. */
  constructor(path: string) {
    this.#file = openSync(path, 'w', 0o600);
  }

  line(line: string): void {
    this.#keep(line);
    const error = parseError(line);
    if (error === undefined) return;
    if (error.isException) {
      this.#exceptions += 1;
      this.#firstException ??= error.message;
    }
    // The same again and again would push out what is different.
    if (this.#lastErrors.includes(error.message)) return;
    if (this.#lastErrors.push(error.message) > K6_LIMITS.reasonLines) this.#lastErrors.shift();
  }

  /** How often the script threw, and what the first time. */
  get exceptions(): { readonly count: number; readonly first: string | undefined } {
    return { count: this.#exceptions, first: this.#firstException };
  }

  /** The last errors that differ, oldest first; empty when there was none. */
  get reason(): string {
    return this.#lastErrors.join('; ').slice(0, K6_LIMITS.reasonCharacters);
  }

  close(): void {
    if (this.#left > 0) writeSync(this.#file, `... and ${this.#left} more lines, which are not kept\n`);
    closeSync(this.#file);
  }

  #keep(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#left > 0 || this.#bytes + bytes.length > K6_LIMITS.logBytes) {
      this.#left += 1;
      return;
    }
    writeSync(this.#file, bytes);
    this.#bytes += bytes.length;
  }
}

/** @param line as k6 writes them: `time="…" level=error msg="…" source=stacktrace` */
export function parseError(line: string): LoggedError | undefined {
  if (!/\blevel=(error|fatal|panic)\b/.test(line)) return undefined;
  const [, quoted, plain] = /\bmsg=(?:("(?:[^"\\]|\\.)*")|(\S+))/.exec(line) ?? [];
  const text = quoted === undefined ? plain : unquoted(quoted);
  if (text === undefined) return undefined;
  // What was thrown; where comes after it, line by line, and is in the file.
  const message = text.trim().split('\n', 1)[0] ?? '';
  return { message, isException: /\bsource=stacktrace\b/.test(line) };
}

/** Go's quotes are JSON's, but for a few escapes. */
function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    // `\x1b` and the like.
    return text.slice(1, -1);
  }
}
