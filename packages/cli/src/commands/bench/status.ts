/** What a load test shows of itself while it runs. */
import type { BenchProfile, BenchScenario } from '@fest/loadtest/bench/plan';
import type { BenchProgress, TimelineRow } from '@fest/loadtest/bench/result';
import type { Context } from '../../context.ts';
import type { BenchView } from './view/bench-view.ts';

/** Of sparklines. */
const ROWS_KEPT = 120;
const TICK_MS = 1_000;
/** Counts that come by the thousand: on a screen often enough to be seen moving, elsewhere a line now and then. */
const SAY_ON_SCREEN_MS = 250;
const SAY_AS_LINE_MS = 3_000;

export interface BenchStatusOptions {
  readonly context: Pick<Context, 'now' | 'findTerminal'>;
  readonly view: BenchView;
  readonly scenario: BenchScenario;
  readonly profile: BenchProfile;
}

const NOTHING: BenchProgress['totals'] = {
  requests: 0,
  iterations: 0,
  dropped: 0,
  unexpected: 0,
  purchases: 0,
  tickets: 0,
  oversold: 0,
  refused: {},
};

export class BenchStatus {
  readonly #options: BenchStatusOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #rows: TimelineRow[] = [];
  #stage: BenchProgress['stage'] = 'preparing';
  #title: string | undefined;
  #about = '';
  #doing = '';
  #totals = NOTHING;
  #sinceMs: number;
  #plannedMs: number | null = null;
  #saidAtMs = 0;
  readonly #sayEveryMs: number;

  constructor(options: BenchStatusOptions) {
    this.#options = options;
    this.#sinceMs = options.context.now();
    this.#sayEveryMs = options.context.findTerminal() === undefined ? SAY_AS_LINE_MS : SAY_ON_SCREEN_MS;
    this.#timer = setInterval(() => this.#show(), TICK_MS);
  }

  /** Of one that is a part of something larger: what that is called, and how far it is. */
  about(title: string, text: string): void {
    [this.#title, this.#about] = [title, `${text} `];
  }

  /** What is done from now on. */
  begin(stage: BenchProgress['stage'], doing: string): void {
    this.#stage = stage;
    this.#doing = doing;
    this.#show();
  }

  /** How far it is, when that changes often. */
  count(doing: string): void {
    this.#doing = doing;
    const nowMs = this.#options.context.now();
    if (nowMs - this.#saidAtMs < this.#sayEveryMs) return;
    this.#saidAtMs = nowMs;
    this.#show();
  }

  /** The load begins: time counts from here. */
  loadBegins(plannedMs: number, doing: string): void {
    this.#sinceMs = this.#options.context.now();
    this.#plannedMs = plannedMs;
    // Of the load before, where there are several.
    this.#rows.length = 0;
    this.#totals = NOTHING;
    this.begin('running', doing);
  }

  row(row: TimelineRow, totals: BenchProgress['totals']): void {
    this.#rows.push(row);
    if (this.#rows.length > ROWS_KEPT) this.#rows.shift();
    this.#totals = totals;
    this.#show();
  }

  /** A line that stays. */
  line(text: string): void {
    this.#options.view.line(text);
  }

  /** Resolves when the terminal is as it was. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#options.view.close();
  }

  #show(): void {
    const { context, view, scenario, profile } = this.#options;
    view.show({
      scenario,
      profile,
      stage: this.#stage,
      ...(this.#title === undefined ? {} : { title: this.#title }),
      doing: `${this.#about}${this.#doing}`,
      elapsedMs: context.now() - this.#sinceMs,
      plannedMs: this.#plannedMs,
      row: this.#rows.at(-1) ?? null,
      rows: this.#rows,
      totals: this.#totals,
    });
  }
}
