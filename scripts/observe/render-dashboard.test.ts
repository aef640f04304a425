import { expect, test } from 'vitest';
import { buildDashboard, type Panel } from './dashboards/dashboard.ts';
import type { Series } from './prometheus.ts';
import { renderDashboard } from './render-dashboard.ts';

const SPAN = { from: 0, to: 9, stepSeconds: 1 };

/** A series that says these, a second each. */
const seriesOf = (instance: string, ...values: readonly number[]): Series => ({
  metric: { instance },
  points: values.map((value, at) => [at, value] as const),
});

function drawn(panel: Partial<Panel>, answer: readonly Series[], beside: readonly Panel[] = []): Promise<string> {
  const queries = [{ expr: 'x', legend: '{{instance}}' }];
  const panels = [{ title: 'Panel', unit: 'short', queries, ...panel }, ...beside];
  const plan = { uid: 'u', title: 't', description: 'd', variables: {}, sections: [{ title: 'Section', panels }] };
  return renderDashboard(buildDashboard(plan), { queryRange: async () => answer }, SPAN);
}

test('a panel is as wide as the dashboard says', async () => {
  const beside = { title: 'Other', unit: 's', queries: [{ expr: 'y', legend: 'y' }] };
  const page = await drawn({}, [seriesOf('a', 1, 2)], [beside]);
  expect(page.match(/grid-column: span 12/g)).toHaveLength(2);
});

test('what is 0 throughout is named and hides nothing', async () => {
  const page = await drawn({}, [seriesOf('a', 0, 0), seriesOf('b', 1, 5)]);
  expect(page).toContain('0 throughout: a.');
  expect(page).toContain('b, at most 5');
  expect(page).not.toContain('a, at most');
});

test('no answer, and one that is no number, are said to be none', async () => {
  expect(await drawn({}, [])).toContain('No data.');
  expect(await drawn({}, [seriesOf('a', Number.NaN)])).toContain('Nothing to divide by: no value.');
});

test('bytes, seconds and shares are written in a unit that one can read', async () => {
  expect(await drawn({ unit: 'bytes' }, [seriesOf('a', 300 * 2 ** 20)])).toContain('a, at most 300 MiB');
  expect(await drawn({ unit: 's' }, [seriesOf('a', 0.25)])).toContain('a, at most 250 ms');
  expect(await drawn({ unit: 'percentunit' }, [seriesOf('a', 0.25)])).toContain('a, at most 25 %');
});

test('what is below 0 is not drawn, which is said', async () => {
  expect(await drawn({ unit: 's', signed: true }, [seriesOf('a', -0.004, 0.001)])).toContain(
    'Below 0, which is not drawn: down to -4 ms.',
  );
});

test('a number is told by the word for it, or by the name of its series', async () => {
  const now = [seriesOf('a', ...Array.from({ length: 10 }, () => 1))];
  expect(await drawn({ look: 'stat', words: { 0: 'no', 1: 'yes' } }, now)).toContain('<dd>yes<small>a</small>');
  expect(await drawn({ look: 'stat', named: true }, now)).toContain('<dd>a<small></small>');
  expect(await drawn({ look: 'stat' }, [seriesOf('a', 1)])).toContain('no data');
});
