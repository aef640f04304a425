/** How many orders a second there were: over all the time, while the sale sold at all, and while all of it was up. */

interface Span {
  readonly fromMs: number;
  toMs: number;
}

/** Orders per second, rounded down, and the seconds they are counted over. */
export interface Rate {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Rates {
  readonly orders: number;
  /** While buyers were let in, whatever was broken. */
  readonly overall: Rate;
  /** Without the times from a harm to the first purchase through any server. */
  readonly selling: Rate;
  /** Without the times from a harm to a purchase through every server. */
  readonly allUp: Rate;
}

/** All times are `performance.now()`. */
export class Uptime {
  readonly #open: Span[] = [];
  readonly #notSelling: Span[] = [];
  readonly #notAllUp: Span[] = [];

  /** Buyers are let in. */
  opened(atMs: number): void {
    this.#open.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY });
  }

  closed(atMs: number): void {
    const span = this.#open.at(-1);
    if (span !== undefined) span.toMs = atMs;
  }

  /** From the harm until some server sold again, and until all did. */
  broken(fromMs: number, sellingAtMs: number, allUpAtMs: number): void {
    this.#notSelling.push({ fromMs, toMs: sellingAtMs });
    this.#notAllUp.push({ fromMs, toMs: allUpAtMs });
  }

  /** @param ordersAtMs when buyers were told, ascending */
  rates(ordersAtMs: readonly number[], nowMs: number): Rates {
    const open = this.#open.map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.min(toMs, nowMs) }));
    const rateOver = (cuts: readonly Span[]): Rate => {
      const spans = open.flatMap((span) => without(span, cuts));
      const ms = totalMs(spans);
      return { perSecond: perSecond(countWithin(ordersAtMs, spans), ms), seconds: Math.round(ms / 1000) };
    };
    return {
      orders: ordersAtMs.length,
      overall: rateOver([]),
      selling: rateOver(this.#notSelling),
      allUp: rateOver(this.#notAllUp),
    };
  }
}

/** What is left of a span when others are cut out of it. */
function without(span: Span, cuts: readonly Span[]): readonly Span[] {
  let rest: readonly Span[] = [span];
  for (const cut of cuts) {
    rest = rest.flatMap(({ fromMs, toMs }) =>
      [
        { fromMs, toMs: Math.min(toMs, cut.fromMs) },
        { fromMs: Math.max(fromMs, cut.toMs), toMs },
      ].filter((part) => part.toMs > part.fromMs),
    );
  }
  return rest;
}

function totalMs(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** Both ascending. */
function countWithin(timesMs: readonly number[], spans: readonly Span[]): number {
  const indexOf = (ms: number): number => {
    let [from, to] = [0, timesMs.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((timesMs[middle] ?? 0) < ms) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return spans.reduce((sum, { fromMs, toMs }) => sum + indexOf(toMs) - indexOf(fromMs), 0);
}

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : Math.floor((count * 1000) / ms);
}
