import { describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT, type AcknowledgementOptions } from './options.ts';
import type { MeasuredOrder } from './orders.ts';
import { type Arm, type Measurement, planPhases } from './phases.ts';
import { renderMarkdown, resultDocument } from './report.ts';
import { judge, type Summary, summarise as summariseFully } from './summary.ts';

/** Fewer resamples than a report has: these differences are plain. */
const summarise = (measured: Measurement): Summary => summariseFully(measured, 1_000);

const OPTIONS: AcknowledgementOptions = {
  pairs: 6,
  phaseSeconds: 1,
  ordersPerSecond: 100,
  loginClients: 1_000,
  passwordProcesses: 1,
  gatewayMs: 20,
  directory: undefined,
  json: undefined,
};

interface Scenario {
  /** What an order takes from 202 until it is acknowledged, without the gateway, milliseconds. */
  readonly settledMs: (arm: Arm, pair: number) => number;
  readonly lateMs?: number;
  readonly failing?: number;
  readonly logins?: Partial<Measurement['phases'][number]['logins']>;
  readonly options?: Partial<AcknowledgementOptions>;
}

/** 100 orders a phase, each durable 4 ms after it was due. */
function measurement({ settledMs, lateMs = 0.5, failing = 0, logins = {}, options = {} }: Scenario): Measurement {
  const chosen = { ...OPTIONS, ...options };
  const phases = planPhases(chosen.pairs).map(({ arm, pair }) => ({
    arm,
    pair,
    orders: Array.from({ length: 100 }, (_, index): MeasuredOrder => {
      const dueAt = index * 10;
      const sentAt = dueAt + lateMs;
      const answeredAt = dueAt + 4;
      if (index < failing) return { dueAt, sentAt, answeredAt, reason: 'the payment is failed' };
      const spread = 1 + index / 1_000;
      const acknowledgedAt = answeredAt + chosen.gatewayMs + settledMs(arm, pair) * spread;
      return { dueAt, sentAt, answeredAt, acknowledgedAt, polls: 2, resolutionMs: 2 };
    }),
    logins: {
      done: arm === 'with' ? 20 : 0,
      refused: arm === 'with' ? 200 : 0,
      gaveUp: 0,
      failed: 0,
      atServer: 0,
      ...logins,
    },
    cpu: { processes: {}, mainThreads: {}, others: undefined, stolen: undefined },
    log: { fsyncMs: 1, recordsPerFsync: 1 },
  }));
  const machine = {
    processors: 2,
    processor: 'P',
    memoryGiB: 8,
    system: 'S',
    node: 'v24.0.0',
    redis: '7.0',
    mysql: '8.4',
    fileSystem: 'ext4',
  };
  return {
    options: chosen,
    machine,
    quietLoginMs: 60,
    phases,
    loginFailures: ['401 bad_credentials'],
  };
}

const slower: Scenario = { settledMs: (arm, pair) => (arm === 'with' ? 9 : 6) + pair / 100 };
const shown = (scenario: Scenario): string => {
  const measured = measurement(scenario);
  return renderMarkdown(measured, summarise(measured));
};

test('phases come A B B A …, so that a drift meets both arms alike', () => {
  expect(planPhases(3).map(({ arm }) => arm)).toEqual(['without', 'with', 'with', 'without', 'without', 'with']);
  expect(planPhases(2).map(({ pair }) => pair)).toEqual([0, 0, 1, 1]);
});

test('the figures are what the orders took, without the gateway', () => {
  const { figures } = summarise(measurement({ settledMs: (arm) => (arm === 'with' ? 9 : 6) }));
  expect(figures.durable.arms.with.quantiles.p50).toBeCloseTo(4, 6);
  expect(figures.settled.arms.without.quantiles.p50).toBeCloseTo(6 * 1.049, 6);
  expect(figures.acknowledged.arms.with.quantiles.p50).toBeCloseTo(4 + 9 * 1.049, 6);
  expect(figures.settled.differences.p50.estimate).toBeCloseTo(3 * 1.049, 6);
});

test('a difference is claimed with its interval', () => {
  const { figures } = summarise(measurement(slower));
  expect(figures.acknowledged.verdicts).toMatchObject({ p50: 'longer', p90: 'longer', p99: 'longer' });
  expect(figures.durable.verdicts.p50).toBe('noDifferenceSeen');
  expect(shown(slower)).toMatch(
    /p99: in 13\.\d instead of 10\.\d ms, 3\.\d ms later \(95 % interval \+3\.\d … \+3\.\d ms\)/,
  );
});

test('where equal phases differ by more than 10 %, it says "too noisy" instead of a claim', () => {
  const noisy: Scenario = { settledMs: (arm, pair) => (arm === 'with' ? 90 : 6) + pair * 6 };
  expect(summarise(measurement(noisy)).figures.acknowledged.verdicts.p99).toBe('tooNoisy');
  expect(shown(noisy)).toMatch(/p99: too noisy/);
  expect(shown(noisy)).not.toMatch(/instead of/);
});

describe('nothing is claimed', () => {
  test.each<[string, Scenario, RegExp]>([
    ['when orders were sent late', { ...slower, lateMs: 6 }, /sent 6\.0 ms late at p99/],
    ['when no login succeeded', { ...slower, logins: { done: 0 } }, /not one login succeeded/],
    ['when logins failed', { ...slower, logins: { failed: 1 } }, /401 bad_credentials/],
    ['of too few pairs', { ...slower, options: { pairs: 5 } }, /5 pairs are too few/],
  ])('%s', (_, scenario, why) => {
    const { voidBecause, figures } = summarise(measurement(scenario));
    expect(voidBecause.length).toBeGreaterThan(0);
    for (const reason of voidBecause) expect(reason).toMatch(why);
    expect(figures.acknowledged.verdicts.p50).toBe('void');
    expect(shown(scenario)).toMatch(/\*\*Nothing is claimed:\*\*/);
    expect(shown(scenario)).not.toMatch(/instead of/);
  });
});

test('failed orders are not left out: they are the slowest, and unknown quantiles are never believed', () => {
  const failing: Scenario = { ...slower, failing: 5 };
  const { figures, conditions } = summarise(measurement(failing));
  expect(conditions.with).toMatchObject({ orders: 600, failed: 30, failures: ['the payment is failed'] });
  expect(figures.acknowledged.arms.with.quantiles.p99).toBe(Number.POSITIVE_INFINITY);
  expect(figures.acknowledged.verdicts).toMatchObject({ p50: 'longer', p99: 'tooNoisy' });
  expect(shown(failing)).toMatch(/\| failed \|/);
});

test('where only the orders with logins fail, that is said instead of a number', () => {
  const measured = measurement(slower);
  const failing = measurement({ ...slower, failing: 5 });
  const phases = measured.phases.map((phase, index) =>
    phase.arm === 'with' ? (failing.phases[index] ?? phase) : phase,
  );
  const mixed = { ...measured, phases };
  const text = renderMarkdown(mixed, summarise(mixed));
  expect(text).toMatch(/p99: not at all instead of in 10\.\d ms: orders failed/);
  expect(text).not.toMatch(/\+failed/);
});

test('the interval decides: it must not contain zero', () => {
  expect(judge({ estimate: 1, low: 0.1, high: 2 }, 0.05)).toBe('longer');
  expect(judge({ estimate: -1, low: -2, high: -0.1 }, 0.05)).toBe('shorter');
  expect(judge({ estimate: 1, low: -0.1, high: 2 }, 0.05)).toBe('noDifferenceSeen');
  expect(judge({ estimate: 1, low: 0.1, high: 2 }, Number.NaN)).toBe('tooNoisy');
});

test('the JSON has every latency', () => {
  const measured = measurement({ ...slower, failing: 1 });
  const document = JSON.parse(JSON.stringify(resultDocument(measured, summarise(measured))));
  const command = ACKNOWLEDGEMENT.commandOf(document.options);
  expect(command).toBe('npm run bench:acknowledgement -- --seconds 1 --rate 100');
  expect(document.phases).toHaveLength(12);
  expect(document.phases[0].acknowledgedMs).toHaveLength(100);
  expect(document.phases[0].acknowledgedMs.slice(0, 2)).toEqual([null, 10.006]);
  expect(document.phases[0]).not.toHaveProperty('orders');
});
