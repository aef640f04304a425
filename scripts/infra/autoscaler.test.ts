/** What the autoscaler goes by: a metric that servers tell, made into one of the pod by the adapter's rule. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { listFiles, read } from '../../test/tidy/repository.ts';
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

describe('what scrapes the pods', () => {
  const { scrape_configs: jobs } = parse(read(`${FOLDER}/scrape-config.yaml`)) as {
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly metrics_path?: string;
      readonly kubernetes_sd_configs: readonly unknown[];
      readonly relabel_configs: readonly Relabelling[];
    }[];
  };
  interface Relabelling {
    readonly source_labels: readonly string[];
    readonly regex?: string;
    readonly action?: string;
    readonly target_label?: string;
  }
  const [POD] = parseAllDocuments(read('infra/kubernetes/base/server.yaml')).map((document) => document.toJS());
  const { labels } = POD.spec.template.metadata;
  const META = {
    __meta_kubernetes_namespace: 'fest',
    __meta_kubernetes_pod_name: 'fest-server-0',
    __meta_kubernetes_pod_label_app_kubernetes_io_name: labels['app.kubernetes.io/name'],
    __meta_kubernetes_pod_container_port_name: POD.spec.template.spec.containers[0].ports[0].name,
  };

  /** As Prometheus relabels, as far as it is used here. Undefined: dropped. */
  function relabelled(meta: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
    const result: Record<string, string> = {};
    for (const { source_labels, regex, action, target_label } of jobs[0]?.relabel_configs ?? []) {
      const value = source_labels.map((label) => meta[label] ?? '').join(';');
      if (action === 'keep' && !new RegExp(`^(?:${regex})$`).test(value)) return undefined;
      if (target_label !== undefined) result[target_label] = value;
    }
    return result;
  }

  test('is one job, with the name that rules and dashboards go by', () => {
    expect(jobs.map(({ job_name }) => job_name)).toEqual(['fest']);
    const rules = listFiles((path) => path.startsWith('infra/observability/prometheus/rules/'))
      .map(read)
      .join('\n');
    expect(rules).toContain('job="fest"');
    expect(jobs[0]?.metrics_path ?? '/metrics').toBe('/metrics');
  });

  test('takes the servers, by the port that tells metrics, with namespace and pod; and nobody else', () => {
    expect(relabelled(META)).toEqual({ namespace: 'fest', pod: 'fest-server-0' });
    expect(relabelled({ ...META, __meta_kubernetes_pod_container_port_name: 'debug' })).toBeUndefined();
    expect(relabelled({ ...META, __meta_kubernetes_pod_label_app_kubernetes_io_name: 'shop' })).toBeUndefined();
  });

  test('looks in the namespace of production only, and no annotation invites a second job', () => {
    const { namespace } = parse(read('infra/kubernetes/overlays/production/kustomization.yaml'));
    expect(jobs[0]?.kubernetes_sd_configs).toEqual([{ role: 'pod', namespaces: { names: [namespace] } }]);
    expect(POD.spec.template.metadata.annotations).toBeUndefined();
  });
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
      /kubernetes_sd_configs:\n\s+- role: pod\n\s+namespaces: .*/,
      "static_configs: [{ targets: ['127.0.0.1:1'] }]",
    );
    expect(text).not.toContain('kubernetes_sd_configs');
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
