/** What a campaign was and found, for people. */
import type { SeedFailure, SeedResult } from './run-seed.ts';

const TRACE_LINES = 80;

function sum(results: readonly SeedResult[], of: (result: SeedResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value.padStart(14)}`).join('\n');
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function renderSummary(results: readonly SeedResult[], seconds: number): string {
  const steps = sum(results, (result) => result.steps);
  const faults = new Map<string, number>();
  for (const result of results) {
    for (const [name, times] of Object.entries(result.faults)) faults.set(name, (faults.get(name) ?? 0) + times);
  }
  const rows: (readonly [string, string])[] = [
    ['seeds', count(results.length)],
    ['steps', count(steps)],
    ['simulated hours', count(sum(results, (result) => result.simulatedMs) / 3_600_000)],
    ['payments captured or declined', count(sum(results, (result) => result.payments))],
    ['orders', count(sum(results, (result) => result.orders))],
    ['orders cancelled', count(sum(results, (result) => result.cancelled))],
    ['refunds', count(sum(results, (result) => result.refunds))],
    ['rebuilds', count(sum(results, (result) => result.epoch - 1))],
    ['seconds', seconds.toFixed(1)],
    ['steps per second', count(steps / seconds)],
  ];
  const faultRows = [...faults].sort((a, b) => b[1] - a[1]).map(([name, times]) => [name, count(times)] as const);
  const failed = results.filter(({ failure }) => failure !== undefined);
  const parts = [
    table(rows),
    `\nfaults and what operators did\n${table([...faultRows, ['all', count(sum(results, allFaults))]])}`,
  ];
  parts.push(`\nviolations: ${count(failed.length)}`);
  return parts.join('\n');
}

function allFaults({ faults }: SeedResult): number {
  return Object.values(faults).reduce((total, times) => total + times, 0);
}

/** How to see it again. */
export function rerunCommand(seed: number, steps: number): string {
  return `npm run simulate -- --seed ${seed} --steps ${steps}`;
}

export function renderFailure(seed: number, steps: number, failure: SeedFailure, lines = TRACE_LINES): string {
  return [
    `seed ${seed}, step ${failure.step}: ${failure.message}`,
    `  ${failure.facts.slice(0, 4_000)}`,
    `  what happened before:`,
    ...failure.trace.slice(-lines).map((line) => `  ${line}`),
    `  again: ${rerunCommand(seed, steps)}`,
  ].join('\n');
}

/** One line a kind of violation. */
export function renderKinds(results: readonly SeedResult[]): string {
  const kinds = new Map<string, number[]>();
  for (const { seed, failure } of results) {
    if (failure === undefined) continue;
    const seeds = kinds.get(failure.message) ?? [];
    kinds.set(failure.message, seeds);
    seeds.push(seed);
  }
  return [...kinds]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([message, seeds]) => `  ${message}: ${seeds.length} seeds, among them ${seeds.slice(0, 8).join(', ')}`)
    .join('\n');
}
