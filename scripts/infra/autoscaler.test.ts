/** What the autoscaler goes by: a metric that servers tell, made into one of the pod by the adapter's rule. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { read } from '../../test/tidy/repository.ts';
import { parseExposition } from '../observe/exposition.ts';
import { fullExposition } from '../observe/test-support/full-registry.ts';
import { judge, need } from '../observe/test-support/prometheus-tools.ts';

const FOLDER = 'infra/kubernetes/prometheus-adapter';
const { rules } = parse(read(`${FOLDER}/rules.yaml`)) as {
  readonly rules: readonly [
    { readonly seriesQuery: string; readonly metricsQuery: string; readonly name: { matches: string } },
  ];
};
const [RULE] = rules;
const METRIC = /^\w+/.exec(RULE.seriesQuery)?.[0] ?? '';

/** As the adapter fills its template in, for the pods of the autoscaler. */
function queryFor(pods: readonly string[]): string {
  return RULE.metricsQuery
    .replaceAll('<<.LabelMatchers>>', `namespace="fest",pod=~"${pods.join('|')}"`)
    .replaceAll('<<.GroupBy>>', 'pod');
}

test('the metric is one that each worker of a server tells', async () => {
  const told = parseExposition(await fullExposition()).filter(({ name }) => name === METRIC);
  expect(told.map(({ labels }) => labels.worker)).toContain('1');
  expect(new RegExp(RULE.name.matches).test(METRIC)).toBe(true);
  expect(RULE.metricsQuery).toContain(`${METRIC}{`);
});

describe('Prometheus', () => {
  function inFolder(work: (folder: string) => void): void {
    const folder = mkdtempSync(join(tmpdir(), 'fest-autoscaler-'));
    try {
      work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test('takes the configuration that gives series their namespace and pod', (context) => {
    need('promtool', context);
    // Debian's Prometheus is built without discovery in Kubernetes: the rest is looked at.
    const text = read(`${FOLDER}/scrape-config.yaml`).replace(
      /kubernetes_sd_configs:\n\s+- role: pod/,
      "static_configs: [{ targets: ['127.0.0.1:1'] }]",
    );
    inFolder((folder) => {
      writeFileSync(join(folder, 'scrape.yml'), text);
      const { status, said } = judge('promtool', ['check', 'config', '--syntax-only', join(folder, 'scrape.yml')]);
      expect(said).toContain('SUCCESS');
      expect(status).toBe(0);
    });
  });

  test('answers with the busiest worker of each pod, without the process that only holds the port', (context) => {
    need('promtool', context);
    const series = (pod: string, worker: string | undefined, perMinute: number) => ({
      series: `${METRIC}{namespace="fest",pod="${pod}"${worker === undefined ? '' : `,worker="${worker}"`}}`,
      values: `0+${perMinute}x5`,
    });
    const document = {
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: [
            series('fest-server-0', 'primary', 59),
            series('fest-server-0', '1', 30),
            series('fest-server-0', '2', 48),
            series('fest-server-1', undefined, 6),
            series('another', '1', 60),
          ],
          promql_expr_test: [
            {
              // Two samples a minute apart are needed for a rate.
              expr: queryFor(['fest-server-0', 'fest-server-1']).replace('[1m]', '[2m]'),
              eval_time: '4m',
              exp_samples: [
                { labels: '{pod="fest-server-0"}', value: 0.8 },
                { labels: '{pod="fest-server-1"}', value: 0.1 },
              ],
            },
          ],
        },
      ],
    };
    inFolder((folder) => {
      writeFileSync(join(folder, 'test.yml'), stringify(document));
      const { status, said } = judge('promtool', ['test', 'rules', join(folder, 'test.yml')]);
      expect(said).toContain('SUCCESS');
      expect(status).toBe(0);
    });
  });
});
