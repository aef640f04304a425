/** What the harness does and sees, with the time since the start: a failure is understood from this and the servers' logs. */
import { appendFileSync } from 'node:fs';

export class Journal {
  readonly #startedAt = performance.now();
  readonly #path: string;
  readonly #print: (line: string) => void;

  /** @param path every line goes there; @param print gets those that matter to whoever watches */
  constructor(path: string, print: (line: string) => void) {
    this.#path = path;
    this.#print = print;
  }

  /** For people. */
  say(text: string): void {
    this.#print(this.note(text));
  }

  /** For the file only. Returns the line. */
  note(text: string): string {
    const line = `${new Date().toISOString()} ${secondsText(performance.now() - this.#startedAt)} ${text}`;
    appendFileSync(this.#path, `${line}\n`);
    return line.slice(line.indexOf(' ') + 1);
  }
}

/** `  12.345`: seconds with milliseconds, right-aligned for the first quarter of an hour and beyond. */
function secondsText(ms: number): string {
  return (ms / 1000).toFixed(3).padStart(8);
}
