/** What an alert silences, and where it leads who is told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { type AlertRule, OBSERVABILITY, readAlerts } from './assets.ts';
import { askedBy } from './promql.ts';

interface Inhibition {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal?: readonly string[];
}

const { inhibit_rules: INHIBITIONS } = parse(
  readFileSync(join(OBSERVABILITY, 'alertmanager/alertmanager.yml'), 'utf8'),
) as { readonly inhibit_rules: readonly Inhibition[] };
const ALERTS = readAlerts();

/** Of the operators that are used: `=`, `!=`, `=~`, on the name of the alert. */
function isMatched(name: string, matchers: readonly string[]): boolean {
  return matchers.every((matcher) => {
    const [, operator, value = ''] = /^alertname (=~|!=|=) "(.*)"$/.exec(matcher) ?? [];
    if (operator === undefined) throw new Error(`cannot read the matcher ${matcher}`);
    const fits = operator === '=~' ? new RegExp(`^(?:${value})$`).test(name) : name === value;
    return operator === '!=' ? !fits : fits;
  });
}

const named = (matchers: readonly string[]): readonly AlertRule[] =>
  ALERTS.filter(({ alert }) => isMatched(alert, matchers));

/** Whether it speaks of one server. */
const isOfOneServer = ({ expr }: AlertRule): boolean => askedBy(expr).by.includes('instance');

const RULES = INHIBITIONS.map((rule) => [`${rule.source_matchers} → ${rule.target_matchers}`, rule] as const);

describe('an alert that silences others', () => {
  test.each(RULES)('%s: there are such alerts', (_, { source_matchers, target_matchers }) => {
    const names = [...source_matchers, ...target_matchers].flatMap(
      (each) => each.match(/\b(Fest|Prom|Watch)\w+/g) ?? [],
    );
    const known = ALERTS.map(({ alert }) => alert);
    expect(names.filter((name) => name !== 'Fest' && !known.includes(name))).toEqual([]);
    expect(named(source_matchers)).toHaveLength(1);
  });

  test.each(RULES)(
    '%s: one server silences none of the others',
    (_, { source_matchers, target_matchers, equal = [] }) => {
      if (equal.length === 0) expect(named(source_matchers).filter(isOfOneServer)).toEqual([]);
      else {
        expect(equal).toEqual(['instance']);
        const without = [...named(source_matchers), ...named(target_matchers)].filter((rule) => !isOfOneServer(rule));
        expect(without.map(({ alert }) => alert)).toEqual([]);
      }
    },
  );

  it('never silences what tells of Prometheus itself', () => {
    const silenced = INHIBITIONS.flatMap(({ target_matchers }) => named(target_matchers)).map(({ alert }) => alert);
    expect(silenced).toContain('FestServerErrors');
    expect(silenced.filter((name) => !name.startsWith('Fest'))).toEqual([]);
  });
});

it('the label that makes an address of the page is not told to anybody', () => {
  const { alerting } = parse(readFileSync(join(OBSERVABILITY, 'prometheus/prometheus.yml'), 'utf8')) as {
    readonly alerting: { readonly alert_relabel_configs: unknown };
  };
  expect(alerting.alert_relabel_configs).toEqual([{ action: 'labeldrop', regex: 'runbooks' }]);
});
