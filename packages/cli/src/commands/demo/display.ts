/** What a running demo shows on stderr: a block that is rewritten on a terminal, a line now and then elsewhere. */
import type { BuyersProgress } from '@fest/loadtest/buyers/report';
import type { Output } from '../../context.ts';
import { createStyle } from '../../render/style.ts';
import { count, seconds } from './report.ts';

/** Off a terminal: often enough to see that it lives, seldom enough for a log. */
const LINE_EVERY_MS = 3_000;
const BAR_CHARACTERS = 30;

export interface Display {
  /** A line that stays. */
  line(text: string): void;
  progress(progress: BuyersProgress): void;
  /** Removes the block, if there is one. */
  finish(): void;
}

export function createDisplay(output: Output, colour: boolean, tickets: number): Display {
  return output.isTTY ? new BlockDisplay(output, colour, tickets) : new LineDisplay(output, tickets);
}

export class LineDisplay implements Display {
  readonly #output: Output;
  readonly #tickets: number;
  #shownAtMs = 0;

  constructor(output: Output, tickets: number) {
    this.#output = output;
    this.#tickets = tickets;
  }

  line(text: string): void {
    this.#output.write(`${text}\n`);
  }

  progress(progress: BuyersProgress): void {
    if (progress.elapsedMs - this.#shownAtMs < LINE_EVERY_MS) return;
    this.#shownAtMs = progress.elapsedMs;
    this.line(
      `${seconds(progress.elapsedMs)}: ${describeSold(progress, this.#tickets)}; buyers: ${describePlaces(progress)}.`,
    );
  }

  finish(): void {}
}

export class BlockDisplay implements Display {
  readonly #output: Output;
  readonly #colour: boolean;
  readonly #tickets: number;
  #block: readonly string[] = [];

  constructor(output: Output, colour: boolean, tickets: number) {
    this.#output = output;
    this.#colour = colour;
    this.#tickets = tickets;
  }

  line(text: string): void {
    const block = this.#block;
    this.finish();
    this.#output.write(`${text}\n`);
    this.#draw(block);
  }

  progress(progress: BuyersProgress): void {
    const style = createStyle(this.#colour);
    const share = Math.min(1, progress.ticketsBought / this.#tickets);
    // Rounded down: full means sold out.
    const filled = Math.floor(share * BAR_CHARACTERS);
    const bar = style.green('█'.repeat(filled)) + style.dim('░'.repeat(BAR_CHARACTERS - filled));
    const rate = progress.elapsedMs === 0 ? 0 : Math.floor((progress.requests * 1000) / progress.elapsedMs);
    this.finish();
    this.#draw([
      `${bar} ${describeSold(progress, this.#tickets)}`,
      `${count(progress.buyers)} buyers: ${describePlaces(progress)}`,
      style.dim(`${seconds(progress.elapsedMs)}, ${count(progress.requests)} requests, ${count(rate)}/s`),
    ]);
  }

  finish(): void {
    // Up to the block's first line, then clear from there to the end of the screen.
    if (this.#block.length > 0) this.#output.write(`\u001b[${this.#block.length}A\u001b[0J`);
    this.#block = [];
  }

  #draw(block: readonly string[]): void {
    // One write, with wrapping off meanwhile: a line that is longer than the terminal must not become two, or the way
    // back up would be wrong.
    if (block.length > 0) this.#output.write(`\u001b[?7l${block.join('\n')}\n\u001b[?7h`);
    this.#block = block;
  }
}

function describeSold({ ticketsBought }: BuyersProgress, tickets: number): string {
  return `${count(ticketsBought)} of ${count(tickets)} tickets sold`;
}

function describePlaces({ buyers, arrived, waiting, active, outcomes }: BuyersProgress): string {
  const gone = Object.values(outcomes).reduce((sum, number) => sum + number, 0);
  return (
    `${count(buyers - arrived)} to come, ${count(waiting)} waiting, ${count(active)} inside, ` +
    `${count(gone)} done (${count(outcomes.bought)} bought)`
  );
}
