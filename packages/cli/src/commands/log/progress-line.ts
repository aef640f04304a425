import type { Output } from '../../context.ts';

const BAR_CHARACTERS = 30;
/** On a terminal: smooth to the eye. */
const BAR_EVERY_MS = 100;
/** Off a terminal: often enough to see that it lives, seldom enough for a log. */
const LINE_EVERY_MS = 5_000;

/** How far long work is: a bar that is rewritten on a terminal, a line now and then elsewhere. */
export class ProgressLine {
  readonly #output: Output;
  readonly #now: () => number;
  #shownAtMs: number;
  #isShown = false;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
    // Work of a moment shows nothing.
    this.#shownAtMs = now();
  }

  /** @param part 0 to 1; undefined while the end is not known */
  show(text: string, part: number | undefined): void {
    const nowMs = this.#now();
    if (nowMs - this.#shownAtMs < (this.#output.isTTY ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
    this.#shownAtMs = nowMs;
    const percent = part === undefined ? '' : ` ${Math.floor(part * 100)} %`;
    if (this.#output.isTTY) {
      const bar = part === undefined ? '' : `${renderBar(part)} `;
      this.#output.write(`\r\u001b[K${bar}${text}${percent}`);
      this.#isShown = true;
    } else this.#output.write(`${text}${percent}\n`);
  }

  /** Makes room for what comes next. */
  clear(): void {
    if (this.#isShown) this.#output.write('\r\u001b[K');
    this.#isShown = false;
  }
}

function renderBar(part: number): string {
  const full = Math.round(Math.min(1, part) * BAR_CHARACTERS);
  return `[${'█'.repeat(full)}${'·'.repeat(BAR_CHARACTERS - full)}]`;
}
