/** One export while it runs: writes pages, tells how far it is, and knows where to go on. */

import { ProgressLine } from '../commands/log/progress-line.ts';
import type { Context } from '../context.ts';
import { FixableError, InterruptedError } from '../errors.ts';
import { createStopSwitch, type StopSwitch } from '../stop-switch.ts';
import { type ExportShape, type ListPlace, placeText, renderItem } from './export-format.ts';
import { type ExportOptions, type PreparedExport, prepareExport } from './export-options.ts';
import { askPatiently } from './patient-api.ts';

export class ExportRun<Item extends object> {
  readonly #context: Context;
  readonly #options: ExportOptions;
  readonly #shape: ExportShape<Item>;
  readonly #prepared: PreparedExport;
  readonly #stop: StopSwitch;
  readonly #progress: ProgressLine;
  #written = 0;
  #place: ListPlace | undefined;
  #hasReader = true;

  private constructor(context: Context, options: ExportOptions, shape: ExportShape<Item>, prepared: PreparedExport) {
    this.#context = context;
    this.#options = options;
    this.#shape = shape;
    this.#prepared = prepared;
    this.#place = prepared.after;
    this.#stop = createStopSwitch(context);
    this.#progress = new ProgressLine(context.stderr);
  }

  /** Opens the target, does the work, and closes it, whatever happens. */
  static async of<Item extends object, Result>(
    context: Context,
    options: ExportOptions,
    shape: ExportShape<Item>,
    work: (run: ExportRun<Item>) => Promise<Result>,
  ): Promise<Result> {
    const run = new ExportRun(context, options, shape, await prepareExport(context, options, shape));
    const { target } = run.#prepared;
    try {
      const result = await work(run);
      await target.close();
      return result;
    } catch (error) {
      await (run.written === 0 ? target.abandon() : target.close());
      throw run.#withPlace(error);
    } finally {
      run.#progress.clear();
      run.#stop.dispose();
    }
  }

  /** Of the last line that is written, or was there before; undefined: none. */
  get place(): ListPlace | undefined {
    return this.#place;
  }

  /** Lines of this run. */
  get written(): number {
    return this.#written;
  }

  /** Nobody reads any more: there is no sense in going on. */
  get isUnread(): boolean {
    return !this.#hasReader;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** @throws InterruptedError after Ctrl-C */
  async ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.signal.aborted) throw new InterruptedError();
    const onWait = (why: string): void => {
      this.#progress.clear();
      this.#context.stderr.write(`${why}; asking again.\n`);
    };
    const answer = await askPatiently(ask, { signal: this.signal, onWait });
    if (this.signal.aborted) throw new InterruptedError();
    return answer;
  }

  async write(items: readonly Item[]): Promise<void> {
    const last = items.at(-1);
    if (last === undefined || !this.#hasReader) return;
    const { target, format } = this.#prepared;
    this.#hasReader = await target.write(items.map((item) => renderItem(this.#shape, format, item)).join(''));
    this.#written += items.length;
    this.#place = this.#shape.place(last);
    // On a terminal that shows the lines themselves it would stand between them.
    if (this.#context.stdout.isTTY && this.#options.output === undefined) return;
    this.#progress.show(`${this.#written} lines, at ${placeText(this.#place)}`, undefined);
  }

  /** For whoever goes on later. */
  get howToGoOn(): string {
    const { output } = this.#options;
    if (output !== undefined) return `Go on with the same command and --resume (--output ${output}).`;
    return this.#place === undefined
      ? 'Nothing was written: run it again.'
      : `Go on behind what is written: the same command with --after ${placeText(this.#place)}`;
  }

  /** What was written so far is good. */
  #withPlace(error: unknown): unknown {
    if (!(error instanceof FixableError) || this.#written === 0) return error;
    const { fix, ...details } = error.details;
    const goOn = `${this.#written} lines are written. ${this.howToGoOn}`;
    return new FixableError({ ...details, fix: fix === undefined ? goOn : `${fix}\n${goOn}`, cause: error });
  }
}
