import type { CpuUse, SaleFigures, ServerFigures } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { LATENCIES } from '../../test-support/bench-facts.ts';
import { averageCpu, joinObservation, type LoadRow, mergeTimeline, type Observation } from './timeline.ts';

const cpu = (generator: number | null, processes: Readonly<Record<string, number>> = {}): CpuUse => ({
  processors: 2,
  generator,
  observer: 0.1,
  processes,
  others: null,
  stolen: 0,
});

const row = (atMs: number, seconds = 1): LoadRow => ({
  atMs,
  seconds,
  requests: 1,
  unexpected: 0,
  refused: 0,
  purchases: 0,
  dropped: 0,
  users: 1,
  latency: LATENCIES,
  endpoints: {},
});

const server = (requestsPerSecond: number) => ({ requestsPerSecond }) as ServerFigures;
const sale = (sold: number) => ({ sold }) as SaleFigures;
const seen = (atMs: number, rest: Partial<Observation> = {}): Observation => ({
  atMs,
  cpu: null,
  server: null,
  sale: null,
  ...rest,
});

describe('rows of k6', () => {
  it('get what was seen in their second, by whose clock it ended about then', () => {
    const merged = mergeTimeline(
      [row(1_000), row(2_000), row(3_000)],
      [
        seen(1_400, { cpu: cpu(9) }),
        seen(2_400, { cpu: cpu(0.5), server: server(10), sale: sale(1) }),
        seen(3_400, { cpu: cpu(0.7) }),
        seen(4_400, { server: server(30) }),
        seen(5_400, { cpu: cpu(9) }),
      ],
    );
    expect(merged.map((one) => one.cpu?.generator)).toEqual([0.5, 0.7, undefined]);
    expect(merged.map((one) => one.server?.requestsPerSecond)).toEqual([10, undefined, 30]);
    expect(merged.map((one) => one.sale?.sold)).toEqual([1, undefined, undefined]);
    expect(merged.map(({ atMs }) => atMs)).toEqual([1_000, 2_000, 3_000]);
  });

  it('of several seconds get the mean of processor time and the last of the rest', () => {
    const observations = [1, 2, 3, 4, 5].map((second) =>
      seen(second * 1_000 + 900, { cpu: cpu(second), server: server(second), sale: sale(second) }),
    );
    const [merged] = mergeTimeline([row(1_000, 5)], observations);
    expect(merged).toMatchObject({
      cpu: { generator: 3 },
      server: { requestsPerSecond: 5 },
      sale: { sold: 5 },
    });
  });

  it('stay as they are where nobody looked', () => {
    expect(mergeTimeline([row(1_000)], [])).toEqual([{ ...row(1_000), cpu: null, server: null, sale: null }]);
  });
});

describe('the row that was told last', () => {
  it('stands beside what was seen in its own second, not beside what is newest', () => {
    const observations = [seen(2_400, { server: server(10) }), seen(3_400, { server: server(99) })];
    expect(joinObservation(row(1_000), observations).server?.requestsPerSecond).toBe(10);
    expect(joinObservation(row(2_000), observations).server?.requestsPerSecond).toBe(99);
    expect(joinObservation(row(5_000), observations).server).toBeNull();
  });
});

describe('the mean of processor time', () => {
  it('counts a process that was not there as nothing, and what is not known not at all', () => {
    const mean = averageCpu([cpu(1, { 'server-1': 1 }), cpu(null, { 'server-1': 0.5, redis: 0.2 })]);
    expect(mean).toMatchObject({ generator: 1, processes: { 'server-1': 0.75, redis: 0.1 }, others: null });
  });

  it('is not known of nothing', () => {
    expect(averageCpu([])).toBeNull();
  });
});
