/** The last things that happened, for people, and a number that tells two runs apart. */

const REMEMBERED = 4000;

interface Entry {
  readonly atMs: number;
  readonly step: number;
  readonly who: string;
  readonly what: string;
  readonly facts: unknown;
}

export class Trace {
  readonly #entries: Entry[] = [];
  readonly #startMs: number;
  #next = 0;
  #hash = 0x811c9dc5;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Of everything that was noted and counted so far. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** Notes the time of a step: cheap enough for each. */
  tick(atMs: number): void {
    this.#hash = Math.imul(this.#hash ^ (Math.floor(atMs * 1000) | 0), 0x01000193);
  }

  /** @param facts shown as JSON, and only when somebody looks */
  note(atMs: number, step: number, who: string, what: string, facts?: unknown): void {
    for (let index = 0; index < what.length; index += 1) {
      this.#hash = Math.imul(this.#hash ^ what.charCodeAt(index), 0x01000193);
    }
    this.#entries[this.#next] = { atMs, step, who, what, facts };
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** Oldest first. */
  lines(atMost = REMEMBERED): readonly string[] {
    const ordered = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
    return ordered.slice(-atMost).map(({ atMs, step, who, what, facts }) => {
      const time = ((atMs - this.#startMs) / 1000).toFixed(4).padStart(9);
      return `${time} s  step ${String(step).padStart(6)}  ${who.padEnd(9)} ${what}${textOf(facts)}`;
    });
  }
}

function textOf(facts: unknown): string {
  if (facts === undefined) return '';
  const text = JSON.stringify(facts, (_, value: unknown) => (value instanceof Error ? String(value) : value));
  return ` ${text.length > 400 ? `${text.slice(0, 400)}…` : text}`;
}
