/** `fest bench` as a child: the built command with the k6 of this run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseResult } from '@fest/cli/commands/bench/read-result';
import type { BenchFaultCode, BenchResult } from '@fest/loadtest/bench/result';
import { expect } from 'vitest';
import { k6Program } from './k6.ts';
import { FEST, type SpawnedStack } from './spawned-stack.ts';

/** A machine that runs tests is busy: what is proven here is not its speed. */
export const PATIENT = ['--threshold-factor', '50'];

/** Of the gateway of a stack that is to answer at once, and always with yes. */
export const PROMPT_GATEWAY = {
  FEST_GATEWAY_LATENCY_MS: '0',
  FEST_GATEWAY_LATENCY_SIGMA: '0',
  FEST_GATEWAY_DECLINE_RATE: '0',
  FEST_GATEWAY_TIMEOUT_RATE: '0',
  FEST_GATEWAY_UNKNOWN_RATE: '0',
} as const;

export interface BenchEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface BenchChild {
  readonly child: ChildProcess;
  /** What it has written to standard error so far. */
  said(): string;
  readonly ended: Promise<BenchEnd>;
}

const started: ChildProcess[] = [];

export function startBench(directory: string, args: readonly string[], env: Record<string, string> = {}): BenchChild {
  const child = spawn(process.execPath, [FEST, '-C', directory, 'bench', ...args], {
    env: { ...process.env, K6_BIN: k6Program().path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve)).then((exitCode) => ({
    exitCode,
    stdout,
    stderr,
  }));
  return { child, said: () => stderr, ended };
}

/** Ends those that a test has left. */
export async function endBenches(): Promise<void> {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
  }
}

export async function saidBy(run: BenchChild, pattern: RegExp): Promise<void> {
  for (const deadline = Date.now() + 120_000; !pattern.test(run.said()); await sleep(20)) {
    if (run.child.exitCode !== null || Date.now() > deadline)
      throw new Error(`it never said ${pattern}:\n${run.said()}`);
  }
}

/** What a run printed with `--json`, checked as `fest bench compare` checks it. */
export function resultIn(stdout: string): { readonly folder: string; readonly result: BenchResult } {
  const document = JSON.parse(stdout);
  expect(document.schema).toBe('fest.bench/1');
  const result = resultOf(document.folder);
  expect(result).toEqual(document.result);
  return { folder: document.folder, result };
}

/** What stands in the folder of a result. */
export function resultOf(folder: string): BenchResult {
  const text = readFileSync(join(folder, 'result.json'), 'utf8');
  const parsed = parseResult(text);
  if (parsed.status !== 'result') throw new Error(parsed.why);
  return JSON.parse(text);
}

/** What a run printed for people: the text, and the folder that it names at its end. */
export function folderIn(stdout: string): string {
  const folder = /^(\/.*\/\.fest\/bench\/\S+)$/m.exec(stdout)?.[1];
  if (folder === undefined) throw new Error(`no folder is named:\n${stdout}`);
  return folder;
}

export const codesOf = ({ faults }: BenchResult): readonly BenchFaultCode[] => faults.map(({ code }) => code);

/** The sales of the newest load test of a scenario, that of the load first, then the one for tokens of another sale. */
export async function newestSales(
  stack: SpawnedStack,
  scenario: string,
  operator?: string,
): Promise<readonly number[]> {
  type Page = { readonly items: readonly { readonly id: number; readonly title: string }[] };
  const token = operator ?? (await stack.signIn('operator'));
  const { items } = await stack.call<Page>('GET', '/api/v1/festivals?limit=100', token);
  const id = Math.max(...items.filter(({ title }) => title.includes(`-${scenario}-`)).map((festival) => festival.id));
  type Festival = { readonly sales: readonly { readonly id: number }[] };
  const { sales } = await stack.call<Festival>('GET', `/api/v1/festivals/${id}`, token);
  return sales.map((sale) => sale.id).toSorted((left, right) => left - right);
}

/** Of the same. */
export async function phasesOfNewest(stack: SpawnedStack, scenario: string): Promise<readonly string[]> {
  const token = await stack.signIn('operator');
  const read = (id: number) => stack.call<{ readonly phase: string }>('GET', `/api/v1/sales/${id}`, token);
  const sales = await Promise.all((await newestSales(stack, scenario)).map(read));
  return sales.map(({ phase }) => phase);
}
