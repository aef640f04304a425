/** Grafana dashboards from a short description: where panels are and how they look follows from what they show. Pure. */

export interface Query {
  readonly expr: string;
  /** Name of each series, with labels as `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** Grafana's name: `short`, `s`, `bytes`, `Bps`, `percentunit`, and a second `reqps` (requests) or `cps` (anything that is counted). */
  readonly unit: string;
  readonly about?: string;
  /** `stat`: the last value, large. Default: lines. */
  readonly look?: 'lines' | 'stack' | 'stat';
  /** Values may be below 0. */
  readonly signed?: true;
  /** Of a `stat`: it shows the name of its series and not the value, which is always 1. */
  readonly named?: true;
  /** Of a `stat`: what a value means. */
  readonly words?: Readonly<Record<number, string>>;
  readonly queries: readonly Query[];
}

export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Variables to choose by: name → the metric whose label of that name has the values. */
  readonly variables: Readonly<Record<string, string>>;
  readonly sections: readonly Section[];
}

export const DATASOURCE = { type: 'prometheus', uid: 'fest-prometheus' } as const;
const COLUMNS = 24;
/** Of Grafana's grid: in a row there stand at most so many, which fill it. */
const ROWS = { stat: { most: 6, h: 4 }, chart: { most: 3, h: 8 } } as const;

export function buildDashboard(plan: DashboardPlan) {
  return {
    uid: plan.uid,
    title: plan.title,
    description: plan.description,
    tags: ['fest'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    timezone: 'utc',
    templating: { list: Object.entries(plan.variables).map(([name, metric]) => variable(name, metric)) },
    annotations: { list: [alertMarks()] },
    panels: arrange(plan.sections),
  };
}

export type Dashboard = ReturnType<typeof buildDashboard>;

function variable(name: string, metric: string) {
  const query = `label_values(${metric}, ${name})`;
  return {
    name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 3,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

function alertMarks() {
  return {
    name: 'Alerts that fire',
    datasource: DATASOURCE,
    enable: true,
    iconColor: 'red',
    expr: 'ALERTS{alertstate="firing",alertname!="Watchdog"}',
    titleFormat: '{{alertname}}',
    textFormat: '{{instance}} {{sale}}',
  };
}

function arrange(sections: readonly Section[]) {
  let [y, id] = [0, 0];
  return sections.flatMap((section) => {
    const gridPos = { x: 0, y: y++, w: COLUMNS, h: 1 };
    const heading = { id: ++id, type: 'row', title: section.title, collapsed: false, panels: [], gridPos };
    const panels = rowsOf(section.panels).flatMap(({ row, h }) => {
      const w = Math.floor(COLUMNS / row.length);
      const placed = row.map((panel, index) => ({
        ...panelOf(panel),
        id: ++id,
        gridPos: { x: index * w, y, w, h },
      }));
      y += h;
      return placed;
    });
    return [heading, ...panels];
  });
}

/** Numbers and charts stand in rows of their own. The rows of a kind differ by one panel at most. */
function rowsOf(panels: readonly Panel[]): readonly { readonly row: readonly Panel[]; readonly h: number }[] {
  return (['stat', 'chart'] as const).flatMap((kind) => {
    const { most, h } = ROWS[kind];
    const left = panels.filter(({ look }) => (look === 'stat') === (kind === 'stat'));
    const rows = [];
    for (let count = Math.ceil(left.length / most); count > 0; count -= 1) {
      rows.push({ row: left.splice(0, Math.ceil(left.length / count)), h });
    }
    return rows;
  });
}

function panelOf({ title, unit, about, look = 'lines', signed, named, words = {}, queries }: Panel) {
  const stacking = { mode: look === 'stack' ? 'normal' : 'none', group: 'A' };
  const custom = { lineWidth: 1, fillOpacity: look === 'stack' ? 40 : 8, showPoints: 'never', stacking };
  return {
    type: look === 'stat' ? 'stat' : 'timeseries',
    title,
    ...(about === undefined ? {} : { description: about }),
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      ...(look === 'stat' ? { instant: true } : {}),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(signed === true ? {} : { min: 0 }),
        ...(look === 'stat' ? { mappings: mappingsOf(words) } : { custom }),
      },
      overrides: [],
    },
    options:
      look === 'stat'
        ? {
            reduceOptions: { calcs: ['lastNotNull'] },
            textMode: named === true ? 'name' : 'value_and_name',
            colorMode: 'none',
          }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function mappingsOf(words: Readonly<Record<number, string>>) {
  const options = Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }]));
  return Object.keys(words).length === 0 ? [] : [{ type: 'value' as const, options }];
}
