/** Grafana dashboards from a short description: where panels are and how they look follows from what they show. Pure. */

export interface Query {
  readonly expr: string;
  /** Name of each series, with labels as `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** Grafana's name: `short`, `s`, `bytes`, `percentunit`, `reqps`, `Bps`. */
  readonly unit: string;
  readonly about?: string;
  /** `stat`: the last value, large. Default: lines. */
  readonly look?: 'lines' | 'stack' | 'stat';
  /** Values may be below 0. */
  readonly signed?: true;
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
/** Of Grafana's grid: lines stand two or three in a row, numbers six. */
const SIZES = { stat: { w: 4, h: 4 }, lines: { w: 8, h: 8 }, stack: { w: 8, h: 8 } } as const;

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
    expr: 'ALERTS{alertstate="firing"}',
    titleFormat: '{{alertname}}',
    textFormat: '{{instance}} {{sale}}',
  };
}

function arrange(sections: readonly Section[]) {
  let [x, y, rowHeight, id] = [0, 0, 0, 0];
  return sections.flatMap((section) => {
    y += rowHeight;
    [x, rowHeight] = [0, 0];
    const row = {
      id: ++id,
      type: 'row',
      title: section.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    };
    y += 1;
    const panels = section.panels.map((panel) => {
      const { w, h } = SIZES[panel.look ?? 'lines'];
      if (x + w > COLUMNS) [x, y, rowHeight] = [0, y + rowHeight, 0];
      const placed = { ...panelOf(panel), id: ++id, gridPos: { x, y, w, h } };
      x += w;
      rowHeight = Math.max(rowHeight, h);
      return placed;
    });
    return [row, ...panels];
  });
}

function panelOf({ title, unit, about, look = 'lines', signed, queries }: Panel) {
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
      defaults: { unit, ...(signed === true ? {} : { min: 0 }), ...(look === 'stat' ? {} : { custom }) },
      overrides: [],
    },
    options:
      look === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'value_and_name', colorMode: 'none' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}
