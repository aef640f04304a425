import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { exposeMetrics } from './group-metrics.ts';

async function figuresOf(requests: number): Promise<unknown> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'fest_requests_total', help: 'Requests', labelNames: ['route'], registers }).inc(
    { route: '/x' },
    requests,
  );
  new Gauge({ name: 'fest_unknown', help: 'No number yet', registers }).set(Number.NaN);
  new Histogram({ name: 'fest_seconds', help: 'Seconds', buckets: [1], registers }).observe(0.5);
  // As it arrives after its way between processes.
  return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()));
}

test('every series is told once for each worker, and each name is described once', async () => {
  const text = await exposeMetrics(
    {
      workers: [
        { worker: 1, state: 'ready', crashes: 0, answer: await figuresOf(3) },
        { worker: 2, state: 'ready', crashes: 4, answer: await figuresOf(5) },
      ],
      primary: await figuresOf(0),
    },
    3,
  );
  const lines = text.split('\n');
  expect(lines.filter((line) => line.startsWith('fest_requests_total'))).toEqual([
    'fest_requests_total{route="/x",worker="1"} 3',
    'fest_requests_total{route="/x",worker="2"} 5',
    'fest_requests_total{route="/x",worker="primary"} 0',
  ]);
  expect(lines).toContain('fest_seconds_bucket{le="+Inf",worker="2"} 1');
  expect(lines).toContain('fest_unknown{worker="1"} Nan');
  expect(lines.filter((line) => line.startsWith('fest_worker_'))).toEqual([
    'fest_worker_up{worker="1"} 1',
    'fest_worker_up{worker="2"} 1',
    'fest_worker_up{worker="3"} 0',
    'fest_worker_crashes_total{worker="1"} 0',
    'fest_worker_crashes_total{worker="2"} 4',
    'fest_worker_crashes_total{worker="3"} 0',
  ]);
  const described = lines.filter((line) => line.startsWith('# TYPE'));
  expect(new Set(described).size).toBe(described.length);
});

test('lines of a name stand together, as the format demands, also with the metrics of Node', async () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const answer = await registry.getMetricsAsJSON();
  const workers = [1, 2].map((worker) => ({ worker, state: 'ready' as const, crashes: 0, answer }));
  const text = await exposeMetrics({ workers }, 2);
  const names = text.split('\n').flatMap((line) => /^# HELP (\S+)/.exec(line)?.[1] ?? []);
  expect(new Set(names).size).toBe(names.length);
  for (const block of text.trim().split('\n\n')) {
    const [, name = '?'] = /^# HELP (\S+)/.exec(block) ?? [];
    expect(block.split('\n').every((line) => line.startsWith(name) || line.startsWith('#'))).toBe(true);
  }
});
