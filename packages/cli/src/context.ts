/** A stream of text for people or programs. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /**
   * Resolves when the reader has taken what was written, with false once it has gone away. For long answers, which would
   * otherwise pile up in memory, or be made for nobody.
   */
  flush?(): Promise<boolean>;
}

/** The streams of a terminal, as they are: a full screen listens to keys and to changes of size. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream & { readonly columns: number; readonly rows: number };
}

/**
 * Everything a command uses of the world outside, passed in by `bin.ts`. Tests pass their own; nothing else reads
 * `process.env` or ends the process.
 */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: { readonly isTTY: boolean; readonly stream: NodeJS.ReadableStream };
  /** The answer. */
  readonly stdout: Output;
  /** Everything else: progress, questions, errors. */
  readonly stderr: Output;
  /** What a full screen needs; undefined unless standard input and output both are a terminal that can move its cursor. */
  findTerminal(): Terminal | undefined;
  /** Whether escape codes for colour may be written, by stream. */
  readonly colour: { readonly stdout: boolean; readonly stderr: boolean };
  /** Milliseconds since 1970. */
  now(): number;
  /** 0 ≤ value < 1. */
  random(): number;
  /** Hears of SIGINT, SIGTERM and SIGHUP until the returned function is called. Without a listener they end the process. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Ends the process at once; only for a second Ctrl-C. */
  leave(exitCode: number): never;
}

/** What can stand before or after every command. */
export interface GlobalOptions {
  /** Folder of the stack and of `fest.config.yaml`. */
  readonly dir?: string;
  readonly json?: boolean;
  readonly url?: string;
  /** Name of an environment in `fest.config.yaml`. */
  readonly profile?: string;
}
