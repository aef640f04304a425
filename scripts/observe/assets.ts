/** The rules and dashboards of `infra/observability`, as Prometheus and Grafana read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Dashboard } from './dashboards/dashboard.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const OBSERVABILITY = join(ROOT, 'infra/observability');
export const RULES = join(OBSERVABILITY, 'prometheus/rules');
export const RUNBOOKS = 'docs/runbooks/alerts';

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AlertRule extends Rule {
  readonly alert: string;
}

export interface RecordingRule extends Rule {
  readonly record: string;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export function readRules(): readonly Rule[] {
  return readdirSync(RULES)
    .filter((name) => name.endsWith('.yml'))
    .flatMap((name) => (parse(readFileSync(join(RULES, name), 'utf8')) as RuleFile).groups)
    .flatMap(({ rules }) => rules);
}

export function readAlerts(): readonly AlertRule[] {
  return readRules().filter((rule): rule is AlertRule => rule.alert !== undefined);
}

export function readRecordings(): readonly RecordingRule[] {
  return readRules().filter((rule): rule is RecordingRule => rule.record !== undefined);
}

export function readDashboards(): ReadonlyMap<string, Dashboard> {
  const folder = join(OBSERVABILITY, 'grafana/dashboards');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(names.map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard]));
}

/** A panel's query, with everything chosen that can be. */
export interface DashboardQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
}

export function readDashboardQueries(): readonly DashboardQuery[] {
  return [...readDashboards()].flatMap(([dashboard, { panels }]) =>
    panels.flatMap((panel) =>
      'targets' in panel
        ? panel.targets.map(({ expr }) => ({ dashboard, panel: panel.title, expr: withAll(expr) }))
        : [],
    ),
  );
}

/** Variables stand for what is chosen: everything, as Grafana's `All`. */
export function withAll(expr: string): string {
  return expr.replaceAll(/\$(sale|instance)\b/g, '.*');
}
