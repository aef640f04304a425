/** Every expression of the dashboards and alerts, asked again and again while a sale runs: what each has said last. */
import { readAlerts, readDashboardQueries, readRecordings } from './assets.ts';
import type { Prometheus, QueryResult } from './prometheus.ts';
import { askedBy } from './promql.ts';

export interface Evaluated {
  /** Where it stands: `sale.json, Tickets`, or the name of an alert or a recording rule. */
  readonly place: string;
  readonly expr: string;
  /** The last answer that had data. */
  readonly answer: readonly QueryResult[];
}

/** An alert that does not fire has no answer; what it looks at has. */
export interface EvaluatedAlert extends Evaluated {
  /** By selector: how many series it found, at most. */
  readonly series: ReadonlyMap<string, number>;
}

export class Evaluation {
  readonly #prometheus: Pick<Prometheus, 'query'>;
  readonly #answers = new Map<string, readonly QueryResult[]>();
  readonly #series = new Map<string, number>();

  constructor(prometheus: Pick<Prometheus, 'query'>) {
    this.#prometheus = prometheus;
  }

  /** Asks everything once. */
  async round(): Promise<void> {
    const expressions = [...readDashboardQueries(), ...readAlerts(), ...readRecordings()].map(({ expr }) => expr);
    for (const expr of new Set(expressions)) {
      const answer = (await this.#prometheus.query(expr)).filter(({ value }) => !Number.isNaN(value));
      if (answer.length > 0) this.#answers.set(expr, answer);
    }
    for (const selector of new Set(readAlerts().flatMap(({ expr }) => selectorsOf(expr)))) {
      const [counted] = await this.#prometheus.query(`count(${selector})`);
      this.#series.set(selector, Math.max(this.#series.get(selector) ?? 0, counted?.value ?? 0));
    }
  }

  get queries(): readonly Evaluated[] {
    return readDashboardQueries().map(({ dashboard, panel, expr }) => this.#of(`${dashboard}, ${panel}`, expr));
  }

  get recordings(): readonly Evaluated[] {
    return readRecordings().map(({ record, expr }) => this.#of(record, expr));
  }

  get alerts(): readonly EvaluatedAlert[] {
    return readAlerts().map(({ alert, expr }) => ({
      ...this.#of(alert, expr),
      series: new Map(selectorsOf(expr).map((selector) => [selector, this.#series.get(selector) ?? 0])),
    }));
  }

  #of(place: string, expr: string): Evaluated {
    return { place, expr, answer: this.#answers.get(expr) ?? [] };
  }
}

function selectorsOf(expr: string): readonly string[] {
  return askedBy(expr).selectors.map(({ metric, matchers }) => {
    const inside = matchers.map(({ label, operator, value }) => `${label}${operator}${JSON.stringify(value)}`);
    return inside.length === 0 ? metric : `${metric}{${inside.join(',')}}`;
  });
}

/** Metrics that only servers of several workers tell. */
const OF_WORKERS = /^fest_worker_/;

/** What had no data although it should. @param withWorkers whether the servers had workers */
export function withoutData(evaluation: Evaluation, withWorkers: boolean): readonly string[] {
  const isOfWorkers = (expr: string): boolean => selectorsOf(expr).some((selector) => OF_WORKERS.test(selector));
  const silent = [...evaluation.queries, ...evaluation.recordings].filter(
    ({ answer, expr }) => answer.length === 0 && (withWorkers || !isOfWorkers(expr)),
  );
  const blind = evaluation.alerts.flatMap(({ place, series }) =>
    [...series]
      .filter(([selector, count]) => count === 0 && (withWorkers || !OF_WORKERS.test(selector)))
      .map(([selector]) => `${place}: ${selector}`),
  );
  return [...silent.map(({ place, expr }) => `${place}: ${expr}`), ...blind];
}

const ONE_LINE = /\s+/g;

/** `place` · expression → values, three series at most. */
export function lineOf({ place, expr, answer }: Evaluated): string {
  const shown = answer.slice(0, 3).map(({ metric, value }) => {
    const labels = Object.entries(metric)
      .filter(([name]) => name !== '__name__' && name !== 'job')
      .map(([name, of]) => `${name}=${of}`);
    return `${labels.length === 0 ? '' : `{${labels.join(' ')}} `}${Number(value.toPrecision(4))}`;
  });
  const more = answer.length > 3 ? `, and ${answer.length - 3} more` : '';
  const value = answer.length === 0 ? 'nothing' : shown.join(', ') + more;
  return `${place}\n    ${expr.replaceAll(ONE_LINE, ' ')}\n    → ${value}`;
}
