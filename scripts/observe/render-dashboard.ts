/**
 * A dashboard as a page, drawn from the same JSON that Grafana reads, with what Prometheus answers to its queries: a way to look at
 * it where no Grafana can be had. Panels stand where the JSON puts them; lines, stacks and numbers; nothing to click.
 */
import type { ChartSeries } from '@fest/cli/html-page/chart';
import { renderDocument } from '@fest/cli/html-page/document';
import { renderFigure } from '@fest/cli/html-page/figure';
import { escaped } from '@fest/cli/html-page/html';
import { withAll } from './assets.ts';
import type { Dashboard } from './dashboards/dashboard.ts';
import { inUnit, type PanelUnit, panelUnit } from './panel-units.ts';
import type { Prometheus, Series } from './prometheus.ts';

export interface Span {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
}

type Answers = Pick<Prometheus, 'queryRange'>;
type Panels = Dashboard['panels'][number];
type QueriedPanel = Extract<Panels, { readonly targets: unknown }>;
type NamedSeries = Series & { readonly name: string };

/** Series of a panel beyond this are left out, which is said. */
const SERIES_MAX = 14;
const COLOURS = 7;
const ENDED_SECONDS = 3;
const NAMES_SAID = 4;

/** Grafana's grid of 24 columns. */
const STYLE = `
main { max-width: 1560px; padding: 28px 24px 36px; } header { padding-bottom: 12px; margin-bottom: 0; }
.grid24 { display: grid; grid-template-columns: repeat(24, 1fr); gap: 10px; }
.grid24 h2 { grid-column: 1 / -1; margin: 22px 0 0; } .grid24 .card dt, .grid24 .card dd { margin: 0; }
.grid24 figure { margin: 0; height: 100%; } .grid24 figcaption { display: block; } .grid24 .legend { margin-left: 0; display: flex; }
.grid24 .note { margin-bottom: 6px; } .w12 svg.chart { font-size: 14px; }
@media (max-width: 900px) { .grid24 > div { grid-column: 1 / -1 !important; } }`;

export async function renderDashboard(dashboard: Dashboard, prometheus: Answers, span: Span): Promise<string> {
  const parts: string[] = [];
  for (const panel of dashboard.panels) {
    if ('targets' in panel) {
      const { w } = panel.gridPos;
      const drawn =
        panel.type === 'stat' ? await cardOf(panel, prometheus, span) : await figureOf(panel, prometheus, span);
      parts.push(`<div class="w${w}" style="grid-column: span ${w}">${drawn}</div>`);
    } else parts.push(`<h2>${escaped(panel.title)}</h2>`);
  }
  const body = `<header><h1>${escaped(dashboard.title)}</h1><p>${escaped(dashboard.description)}</p></header><div class="grid24">${parts.join('\n')}</div>`;
  return renderDocument({ title: dashboard.title, body, style: STYLE });
}

async function seriesOf(panel: QueriedPanel, prometheus: Answers, { from, to, stepSeconds }: Span) {
  const answers = await Promise.all(
    panel.targets.map(async ({ expr, legendFormat }) => {
      const series = await prometheus.queryRange(withAll(expr), from, to, stepSeconds);
      return series.map((each) => ({ ...each, name: legendOf(legendFormat, each.metric) }));
    }),
  );
  return answers.flat();
}

async function cardOf(panel: QueriedPanel, prometheus: Answers, span: Span): Promise<string> {
  const found = await seriesOf(panel, prometheus, span);
  // A series that has ended says nothing of now.
  const last = found.flatMap(({ name, points }) => {
    const [at, value] = points.at(-1) ?? [0, 0];
    return at >= span.to - ENDED_SECONDS ? [{ name, value }] : [];
  });
  const { textMode } = panel.options as { readonly textMode?: string };
  const names = last.map(({ name }) => name).join(' · ');
  const values = last.map(({ value }) => wordOf(panel, value)).join(' · ');
  const [large, small] = textMode === 'name' ? [names, ''] : [values, names];
  return `<dl class="card" style="margin: 0"><dt>${escaped(panel.title)}</dt><dd>${escaped(large === '' ? 'no data' : large)}<small>${escaped(small)}</small></dd></dl>`;
}

/** By the panel's mappings, or its unit. */
function wordOf({ fieldConfig }: QueriedPanel, value: number): string {
  const { unit, mappings = [] } = fieldConfig.defaults as {
    readonly unit: string;
    readonly mappings?: readonly { readonly options: Readonly<Record<string, { readonly text: string }>> }[];
  };
  const word = mappings.map(({ options }) => options[String(value)]?.text).find((text) => text !== undefined);
  const chosen = panelUnit(unit, value);
  return word ?? inUnit(chosen, value / chosen.size);
}

const finite = ({ points }: Series): readonly number[] =>
  points.map(([, value]) => value).filter((value) => Number.isFinite(value));

async function figureOf(panel: QueriedPanel, prometheus: Answers, span: Span): Promise<string> {
  const found = await seriesOf(panel, prometheus, span);
  const known = found.filter((each) => finite(each).length > 0);
  const moving = known.filter((each) => finite(each).some((value) => value !== 0));
  const still = known.filter((each) => !moving.includes(each));
  // A line for each that is 0 throughout would hide the others, and its name as well.
  const drawn = moving.length > 0 ? moving.slice(0, SERIES_MAX) : still.slice(0, 1);
  const custom = panel.fieldConfig.defaults as { readonly custom?: { readonly stacking?: { readonly mode: string } } };
  const isStacked = custom.custom?.stacking?.mode === 'normal';
  const values = known.flatMap(finite);
  const unit = panelUnit(
    panel.fieldConfig.defaults.unit,
    values.reduce((a, b) => Math.max(a, b), 0),
  );
  const least = values.reduce((a, b) => Math.min(a, b), 0) / unit.size;
  const notes = [
    panel.description,
    found.length === 0 ? 'No data.' : undefined,
    found.length > 0 && known.length === 0 ? 'Nothing to divide by: no value.' : undefined,
    still.length > 0 ? `0 throughout: ${listed(still)}.` : undefined,
    least < 0 ? `Below 0, which is not drawn: down to ${inUnit(unit, least)}.` : undefined,
    moving.length > SERIES_MAX ? `${moving.length - SERIES_MAX} more series are not drawn.` : undefined,
  ].filter((note) => note !== undefined);
  return renderFigure({
    title: panel.title,
    // Most titles say it.
    unit: panel.title.includes(unit.title) ? '' : unit.title,
    size: panel.gridPos.w > 8 ? 'whole' : 'half',
    fromMs: span.from * 1_000,
    toMs: span.to * 1_000,
    series: drawn.map((each, index) => chartSeries(each, index, isStacked, unit, span)),
    gaps: [],
    incomplete: [],
    marks: [],
    format: (value) => inUnit(unit, value),
    ...(notes.length === 0 ? {} : { below: `<p class="note">${escaped(notes.join(' '))}</p>` }),
  });
}

function listed(series: readonly NamedSeries[]): string {
  const said = series.slice(0, NAMES_SAID).map(({ name }) => name);
  const more = series.length - said.length;
  return more > 0 ? `${said.join('; ')}; and ${more} more` : said.join('; ');
}

function chartSeries(
  { name, points }: NamedSeries,
  index: number,
  isStacked: boolean,
  unit: PanelUnit,
  span: Span,
): ChartSeries {
  const at = new Map(points.map(([seconds, value]) => [Math.round((seconds - span.from) / span.stepSeconds), value]));
  const count = Math.floor((span.to - span.from) / span.stepSeconds) + 1;
  return {
    name,
    look: isStacked ? 'stack' : 'line',
    colour: (index % COLOURS) + 1,
    // A chart begins at 0: what is below it (a clock that is behind) is drawn there, and said.
    points: Array.from({ length: count }, (_, step) => {
      const value = at.get(step);
      const fromMs = (span.from + step * span.stepSeconds) * 1_000;
      const isKnown = value !== undefined && Number.isFinite(value);
      return {
        fromMs,
        toMs: fromMs + span.stepSeconds * 1_000,
        value: isKnown ? Math.max(0, value / unit.size) : null,
      };
    }),
  };
}

/** `{{label}}` becomes its value. */
export function legendOf(format: string, metric: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');
}
