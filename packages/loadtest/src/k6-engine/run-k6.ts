/** Runs one load test with k6, and follows it through the samples that it writes to its standard output. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchPlan } from '../bench/plan.ts';
import type {
  AttackResult,
  BenchFault,
  BenchProgress,
  BenchTotals,
  EndpointResult,
  ThresholdResult,
} from '../bench/result.ts';
import { faultsOf, K6_EXIT } from './k6-faults.ts';
import { K6Log } from './k6-log.ts';
import { startK6 } from './k6-process.ts';
import type { K6Program } from './k6-program.ts';
import { type K6Summary, parseSummary } from './k6-summary.ts';
import { K6_LIMITS } from './limits.ts';
import { WANTED_METRICS } from './load-metrics.ts';
import type { LoadRow } from './load-rows.ts';
import { LoadTally } from './load-tally.ts';
import { SampleReader } from './sample-reader.ts';

export type { LoadRow } from './load-rows.ts';

export interface RunK6Options {
  readonly k6: K6Program;
  /** Path of the bundled script. */
  readonly script: string;
  readonly plan: BenchPlan;
  /** Of the result; it exists. `plan.json` and `k6.log` are written there. */
  readonly folder: string;
  /** Ends the run: what was seen until then is the result. */
  readonly signal: AbortSignal;
  /** How long k6 may take to end after that; default `K6_LIMITS.abortGraceMs`. */
  readonly abortGraceMs?: number;
  /** Of k6; not called for a container whose process is not to be seen from here. */
  readonly onStarted: (pid: number) => void;
  /** As soon as there is something to end: what ends it without waiting, for somebody who leaves; harmless after its end. */
  readonly onKillable?: (killNow: () => void) => void;
  /** After each second (several of a long run). */
  readonly onSecond: (row: LoadRow, totals: BenchProgress['totals']) => void;
}

export interface K6Run {
  /** Null: ended by a signal. */
  readonly exitCode: number | null;
  /** Ended before its time. */
  readonly interrupted: boolean;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly rows: readonly LoadRow[];
  readonly totals: BenchTotals;
  readonly endpoints: readonly EndpointResult[];
  readonly thresholds: readonly ThresholdResult[];
  readonly attacks: readonly AttackResult[];
  /** Only of k6 itself: that it crashed, that the script threw, that its figures are not to be trusted. */
  readonly faults: readonly BenchFault[];
}

const SUMMARY_FILE = 'k6-summary.json';

/** @throws when k6 cannot be started at all, or the folder not be written to */
export async function runK6(options: RunK6Options): Promise<K6Run> {
  const { k6, script, plan, folder, signal } = options;
  const planPath = join(folder, 'plan.json');
  const summaryPath = join(folder, SUMMARY_FILE);
  writePlan(planPath, plan);
  rmSync(summaryPath, { force: true });
  const log = new K6Log(join(folder, 'k6.log'));
  const tally = new LoadTally(plan.capacity, options.onSecond);
  const reader = new SampleReader(WANTED_METRICS, {
    sample: (sample) => tally.sample(sample),
    other: (line) => log.line(line),
  });
  try {
    const { abortGraceMs = K6_LIMITS.abortGraceMs, onStarted } = options;
    const running = startK6({ k6, script, planPath, plan, folder, summaryPath, signal, abortGraceMs, onStarted });
    options.onKillable?.(running.killNow);
    running.stdout.on('data', (chunk: Buffer) => reader.push(chunk));
    createInterface({ input: running.stderr }).on('line', (line) => log.line(line));
    const { exitCode, exitSignal, abortedByUs, killedByUs } = await running.ended;
    reader.end();
    const { allRequests, nameless, ...figures } = tally.finish();
    const summary = readSummary(summaryPath);
    const seen = { requests: allRequests, iterations: figures.totals.iterations };
    const { reason, exceptions } = log;
    const end = { exitCode, exitSignal, abortedByUs, killedByUs, reason, exceptions, summary, seen, nameless };
    return {
      exitCode,
      interrupted: abortedByUs || exitCode === K6_EXIT.aborted,
      ...figures,
      thresholds: summary?.thresholds ?? [],
      faults: faultsOf(end),
    };
  } finally {
    log.close();
    rmSync(summaryPath, { force: true });
    writePlan(planPath, withoutTokens(plan));
  }
}

/** What stays is for people, and a token of an operator not for them to find. */
function withoutTokens(plan: BenchPlan): BenchPlan {
  return JSON.parse(JSON.stringify(plan, (key, value) => (key.endsWith('Token') ? '' : value)));
}

function writePlan(path: string, plan: BenchPlan): void {
  writeFileSync(path, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 });
  // Of a file that was there before.
  chmodSync(path, 0o600);
}

function readSummary(path: string): K6Summary | undefined {
  try {
    return parseSummary(readFileSync(path, 'utf8'));
  } catch {
    // It was not written: k6 did not get that far.
    return undefined;
  }
}
