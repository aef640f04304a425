/** Reports for tests. */
import { LatencyHistogram } from '../../../platform/latency-histogram.ts';
import type { ProcessFigures } from './process-figures.ts';

/** Answers of one class, that took so many milliseconds. */
export function ofClass(milliseconds: readonly number[], errors: number): ProcessFigures['classes'][string] {
  const histogram = new LatencyHistogram();
  for (const each of milliseconds) histogram.record(each / 1_000);
  return { answers: histogram.count, latency: histogram.encode(), errors };
}

export function figures(change: Partial<ProcessFigures> = {}): ProcessFigures {
  return {
    id: 'a',
    server: 'server-1',
    worker: null,
    startedAtMs: 1_000,
    beat: 7,
    atMs: 60_000,
    intervalMs: 1_000,
    leaving: false,
    answers: 0,
    refused: {},
    classes: {},
    orders: {},
    admissions: {},
    eventLoopUtilization: 0.25,
    cpu: 0.5,
    memoryBytes: 1_000,
    webSockets: 3,
    logLagRecords: 4,
    failedRecords: 0,
    logOutOfSpace: false,
    paymentsInFlight: 2,
    redis: { status: 'up', latencyMs: 1 },
    mysql: { status: 'up', latencyMs: 2 },
    ...change,
  };
}
