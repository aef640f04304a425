/** Rules and dashboards ask for what servers tell, and every alert says what to do. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import {
  OBSERVABILITY,
  ROOT,
  RUNBOOKS,
  readAlerts,
  readDashboardQueries,
  readRecordings,
  readRules,
} from './assets.ts';
import { DASHBOARD_FOLDER, DASHBOARDS, dashboardText } from './dashboards/all.ts';
import { buildDashboard } from './dashboards/dashboard.ts';
import { parseExposition } from './exposition.ts';
import { askedBy, type Matcher } from './promql.ts';
import { fullExposition } from './test-support/full-registry.ts';

/** Label → its values, by metric. */
type Known = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** Prometheus gives these to everything it scrapes. */
const TARGET_LABELS = ['instance', 'job'];
/** Whose values are all there from the start. */
const CLOSED = ['state', 'phase', 'outcome', 'class', 'reason', 'store', 'action', 'operation', 'source', 'job'];
/** Of Prometheus itself; and of garbage collections, which a process tells after its first. */
const BESIDES = {
  up: { job: 'fest' },
  nodejs_gc_duration_seconds_sum: { kind: '' },
  ALERTS: { alertname: '', alertstate: 'firing', severity: '' },
  prometheus_rule_evaluation_failures_total: { rule_group: '' },
  prometheus_notifications_dropped_total: {},
  prometheus_notifications_alertmanagers_discovered: {},
};

let known: Known;
beforeAll(async () => {
  const metrics = new Map<string, Map<string, Set<string>>>();
  const add = (name: string, labels: Readonly<Record<string, string>>): void => {
    const ofMetric = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, ofMetric);
    for (const label of TARGET_LABELS) ofMetric.set(label, new Set(['fest']));
    for (const [label, value] of Object.entries(labels)) {
      ofMetric.set(label, (ofMetric.get(label) ?? new Set()).add(value));
    }
  };
  for (const { name, labels } of parseExposition(await fullExposition())) add(name, labels);
  for (const [name, labels] of Object.entries(BESIDES)) add(name, labels);
  for (const { record, expr } of readRecordings()) {
    const { by, selectors } = askedBy(expr);
    const ofSource = metrics.get(selectors[0]?.metric ?? '');
    metrics.set(
      record,
      new Map(by.filter((label) => label !== 'le').map((label) => [label, ofSource?.get(label) ?? new Set()])),
    );
  }
  known = metrics;
});

function matchesNothing({ label, operator, value }: Matcher, values: ReadonlySet<string>): boolean {
  if (!CLOSED.includes(label)) return false;
  if (operator === '=' || operator === '!=') return !values.has(value);
  return ![...values].some((each) => new RegExp(`^(?:${value})$`).test(each));
}

/** What is wrong with an expression; nothing, if it can have data. */
function faultsOf(expr: string): readonly string[] {
  const { selectors, labels } = askedBy(expr);
  const there = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric)?.keys() ?? [])]));
  return [
    ...selectors.flatMap(({ metric, matchers }) => {
      const of = known.get(metric);
      if (of === undefined) return [`no server tells ${metric}`];
      return matchers.flatMap((matcher) => {
        const values = of.get(matcher.label);
        if (values === undefined) return [`${metric} has no label ${matcher.label}`];
        return matchesNothing(matcher, values) ? [`${metric}: ${matcher.label} is never ${matcher.value}`] : [];
      });
    }),
    ...labels.filter((label) => !there.has(label)).map((label) => `nothing in it has the label ${label}`),
  ];
}

describe('expressions', () => {
  it('are checked against metrics that are there', () => {
    expect(known.size).toBeGreaterThan(100);
    expect(faultsOf('rate(fest_nothing[1m])')).toEqual(['no server tells fest_nothing']);
    expect(faultsOf('fest_sale_tickets{colour="red"}')).toEqual(['fest_sale_tickets has no label colour']);
    expect(faultsOf('fest_sale_tickets{state="lost"}')).toEqual(['fest_sale_tickets: state is never lost']);
    expect(faultsOf('sum by (colour) (fest_sale_tickets)')).toEqual(['nothing in it has the label colour']);
  });

  test.each(readRules().map(({ alert, record, expr }) => [alert ?? record, expr]))(
    '%s asks for metrics and labels that servers tell',
    (_, expr = '') => {
      expect(faultsOf(expr)).toEqual([]);
    },
  );

  test.each(
    readDashboardQueries().map(({ dashboard, panel, expr }, index) => [`${index} ${dashboard}, ${panel}`, expr]),
  )('query %s asks for metrics and labels that servers tell', (_, expr) => {
    expect(faultsOf(expr)).toEqual([]);
  });
});

describe('dashboards', () => {
  test.each(Object.entries(DASHBOARDS))('%s.json is what `npm run dashboards` writes', (name, plan) => {
    expect(readFileSync(join(ROOT, DASHBOARD_FOLDER, `${name}.json`), 'utf8')).toBe(dashboardText(plan));
  });

  it('have rows that panels fill', () => {
    for (const plan of Object.values(DASHBOARDS)) {
      const widths = new Map<number, number>();
      for (const { gridPos } of buildDashboard(plan).panels) {
        widths.set(gridPos.y, (widths.get(gridPos.y) ?? 0) + gridPos.w);
      }
      expect([...new Set(widths.values())]).toEqual([24]);
    }
  });

  it('have panels that do not lie on each other', () => {
    for (const plan of Object.values(DASHBOARDS)) {
      const taken = new Set<string>();
      const { panels } = JSON.parse(dashboardText(plan)) as {
        panels: { gridPos: { x: number; y: number; w: number; h: number } }[];
      };
      for (const {
        gridPos: { x, y, w, h },
      } of panels) {
        for (let row = y; row < y + h; row += 1) {
          for (let column = x; column < x + w; column += 1) {
            expect(taken.has(`${row} ${column}`)).toBe(false);
            taken.add(`${row} ${column}`);
          }
        }
      }
    }
  });
});

describe('every alert', () => {
  const alerts = readAlerts();

  test.each(alerts.map((rule) => [rule.alert, rule] as const))(
    '%s has a page: symptom, command, expected output',
    (name, rule) => {
      expect(rule.annotations?.runbook_url).toBe(
        `{{ with $externalLabels.runbooks }}{{ . }}/{{ end }}${RUNBOOKS}/${name}.md`,
      );
      // One fires always, and wakes nobody.
      expect(name === 'Watchdog' ? ['none'] : ['page', 'ticket']).toContain(rule.labels?.severity);
      const page = readFileSync(join(ROOT, RUNBOOKS, `${name}.md`), 'utf8');
      expect(page.startsWith(`# ${name}\n`)).toBe(true);
      const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect(headings.slice(0, 3)).toEqual(['Symptom', 'Look', 'Mend']);
      const [, look = ''] = /^## Look$(.*?)^## Mend$/ms.exec(page) ?? [];
      expect(look.match(/^```sh$/gm)?.length ?? 0).toBeGreaterThan(0);
      expect(look).toMatch(/Expected/);
    },
  );

  test.each(readdirSync(join(ROOT, RUNBOOKS)))(
    'in %s, what is looked for in the metrics is something that servers tell',
    (page) => {
      const text = readFileSync(join(ROOT, RUNBOOKS, page), 'utf8');
      const greps = [...text.matchAll(/\/metrics \| grep '\^(fest_\w+|process_\w+|nodejs_\w+)'/g)].map(
        ([, name = '']) => name,
      );
      const told = [...known.keys()];
      expect(greps.filter((name) => !told.some((metric) => metric.startsWith(name)))).toEqual([]);
      // All of them are of that form.
      expect(text.match(/\/metrics \| grep/g)?.length ?? 0).toBe(greps.length);
    },
  );

  it('is there for every page', () => {
    const pages = readdirSync(join(ROOT, RUNBOOKS)).filter((name) => name !== 'README.md');
    expect(pages.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort());
  });

  it('is tested, firing and not firing', () => {
    const folder = join(OBSERVABILITY, 'prometheus/tests');
    const text = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n');
    const evaluations = text.split('- expr: ALERTS{alertname="').slice(1);
    const of = (name: string, fires: boolean) =>
      evaluations.some((each) => each.startsWith(`${name}"`) && each.includes('exp_samples: []') !== fires);
    const untested = alerts.filter(({ alert }) => !of(alert, true) || !of(alert, false));
    // It never does not fire.
    expect(untested.map(({ alert }) => alert)).toEqual(['Watchdog']);
    expect(of('Watchdog', true)).toBe(true);
  });
});
