/**
 * A dashboard as a page, drawn from the same JSON that Grafana reads, with what Prometheus answers to its queries: a way to look at
 * it where no Grafana can be had. Lines, stacks and numbers; nothing to click.
 */
import type { ChartSeries } from '@fest/cli/html-page/chart';
import { renderDocument } from '@fest/cli/html-page/document';
import { renderFigure } from '@fest/cli/html-page/figure';
import { escaped, short } from '@fest/cli/html-page/html';
import { type Card, renderCardList } from '@fest/cli/html-page/table';
import { withAll } from './assets.ts';
import type { Dashboard } from './dashboards/dashboard.ts';
import type { Prometheus, Series } from './prometheus.ts';

export interface Span {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
}

type Panels = Dashboard['panels'][number];
type QueriedPanel = Extract<Panels, { readonly targets: unknown }>;

/** Series of a panel beyond this are left out, which is said. */
const SERIES_MAX = 14;
const COLOURS = 7;
const ENDED_SECONDS = 3;

export async function renderDashboard(dashboard: Dashboard, prometheus: Prometheus, span: Span): Promise<string> {
  const parts: string[] = [];
  let cards: Card[] = [];
  let figures: string[] = [];
  const flush = (): void => {
    if (cards.length > 0) parts.push(renderCardList(cards));
    if (figures.length > 0) parts.push(`<div class="two">${figures.join('\n')}</div>`);
    [cards, figures] = [[], []];
  };
  for (const panel of dashboard.panels) {
    if (!('targets' in panel)) {
      flush();
      parts.push(`<h2>${escaped(panel.title)}</h2>`);
    } else if (panel.type === 'stat') cards.push(await cardOf(panel, prometheus, span));
    else figures.push(await figureOf(panel, prometheus, span));
  }
  flush();
  const body = `<header><h1>${escaped(dashboard.title)}</h1><p>${escaped(dashboard.description)}</p></header>${parts.join('\n')}`;
  return renderDocument({ title: dashboard.title, body });
}

async function seriesOf(panel: QueriedPanel, prometheus: Prometheus, { from, to, stepSeconds }: Span) {
  const answers = await Promise.all(
    panel.targets.map(async ({ expr, legendFormat }) => {
      const series = await prometheus.queryRange(withAll(expr), from, to, stepSeconds);
      return series.map((each) => ({ ...each, name: legendOf(legendFormat, each.metric) }));
    }),
  );
  return answers.flat();
}

async function cardOf(panel: QueriedPanel, prometheus: Prometheus, span: Span): Promise<Card> {
  const found = await seriesOf(panel, prometheus, span);
  // A series that has ended says nothing of now.
  const last = found
    .filter(({ points }) => (points.at(-1)?.[0] ?? 0) >= span.to - ENDED_SECONDS)
    .map(({ name, points }) => ({ name, value: points.at(-1)?.[1] }))
    .filter(({ value }) => value !== undefined);
  const values = last.map(({ value }) => formatOf(panel)(value ?? 0)).join(' · ');
  return [panel.title, values === '' ? 'no data' : values, last.map(({ name }) => name).join(' · ')];
}

async function figureOf(panel: QueriedPanel, prometheus: Prometheus, span: Span): Promise<string> {
  const found = await seriesOf(panel, prometheus, span);
  const custom = panel.fieldConfig.defaults as { readonly custom?: { readonly stacking?: { readonly mode: string } } };
  const isStacked = custom.custom?.stacking?.mode === 'normal';
  const series = found.slice(0, SERIES_MAX).map((each, index) => chartSeries(each, index, isStacked, span));
  const notes = [
    panel.description,
    found.length === 0 ? 'No data.' : undefined,
    found.length > SERIES_MAX ? `${found.length - SERIES_MAX} more series are not drawn.` : undefined,
  ].filter((note) => note !== undefined);
  return renderFigure({
    title: panel.title,
    unit: panel.fieldConfig.defaults.unit,
    size: 'half',
    fromMs: span.from * 1_000,
    toMs: span.to * 1_000,
    series,
    gaps: [],
    incomplete: [],
    marks: [],
    format: formatOf(panel),
    ...(notes.length === 0 ? {} : { below: `<p class="note">${escaped(notes.join(' '))}</p>` }),
  });
}

function chartSeries(
  { name, points }: Series & { readonly name: string },
  index: number,
  isStacked: boolean,
  span: Span,
): ChartSeries {
  const at = new Map(points.map(([seconds, value]) => [Math.round((seconds - span.from) / span.stepSeconds), value]));
  const count = Math.floor((span.to - span.from) / span.stepSeconds) + 1;
  return {
    name,
    look: isStacked ? 'stack' : 'line',
    colour: (index % COLOURS) + 1,
    // A chart begins at 0: what is below it (a clock that is behind) is drawn there.
    points: Array.from({ length: count }, (_, step) => {
      const value = at.get(step);
      const fromMs = (span.from + step * span.stepSeconds) * 1_000;
      const isKnown = value !== undefined && Number.isFinite(value);
      return { fromMs, toMs: fromMs + span.stepSeconds * 1_000, value: isKnown ? Math.max(0, value) : null };
    }),
  };
}

/** `{{label}}` becomes its value. */
export function legendOf(format: string, metric: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');
}

function formatOf(panel: QueriedPanel): (value: number) => string {
  const { unit } = panel.fieldConfig.defaults;
  if (unit === 's') return (value) => (value < 1 ? `${short(value * 1_000)} ms` : `${short(value)} s`);
  if (unit === 'bytes' || unit === 'Bps') return bytes;
  if (unit === 'percentunit') return (value) => `${short(value * 100)} %`;
  return short;
}

function bytes(value: number): string {
  for (const [name, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (value >= size) return `${short(value / size)} ${name}`;
  }
  return `${short(value)} B`;
}
