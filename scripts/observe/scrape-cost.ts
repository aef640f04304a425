/**
 * What reading /metrics costs a server: processor time by its own count (`process_cpu_seconds_total`, microseconds from the kernel),
 * in blocks with a reading a second and without, one after the other, A B B A.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { parseExposition } from './exposition.ts';

export interface ScrapeCost {
  readonly bytes: number;
  readonly series: number;
  /** Processor time of one reading, milliseconds: median, and the smallest and largest of the pairs. */
  readonly cpuMs: { readonly median: number; readonly min: number; readonly max: number };
  /** From question to answer, median. */
  readonly tookMs: number;
  readonly pairs: number;
  readonly readings: number;
}

/** A text is told for a second at least. */
const EVERY_MS = 1_050;
const READINGS = 12;
const PAIRS = 6;

export async function measureScrapes(baseUrl: string): Promise<ScrapeCost> {
  const took: number[] = [];
  const read = async (): Promise<string> => {
    const beganMs = performance.now();
    const text = await (await fetch(baseUrl + SERVICE_PATHS.metrics)).text();
    took.push(performance.now() - beganMs);
    return text;
  };
  const cpuSeconds = async (): Promise<number> => {
    await sleep(EVERY_MS);
    return sumOf(await read(), 'process_cpu_seconds_total');
  };
  const block = async (readings: number): Promise<number> => {
    const before = await cpuSeconds();
    for (let count = 0; count < READINGS; count += 1) {
      await sleep(EVERY_MS);
      if (count < readings) await read();
    }
    return (await cpuSeconds()) - before;
  };
  const costs: number[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const order = pair % 2 === 0 ? [READINGS, 0] : [0, READINGS];
    const [first = 0, second = 0] = [await block(order[0] ?? 0), await block(order[1] ?? 0)];
    const [busy, idle] = pair % 2 === 0 ? [first, second] : [second, first];
    costs.push(((busy - idle) * 1_000) / READINGS);
  }
  const text = await read();
  return {
    bytes: Buffer.byteLength(text),
    series: parseExposition(text).length,
    cpuMs: { median: medianOf(costs), min: Math.min(...costs), max: Math.max(...costs) },
    tookMs: medianOf(took),
    pairs: PAIRS,
    readings: READINGS,
  };
}

function sumOf(text: string, name: string): number {
  return parseExposition(text)
    .filter((sample) => sample.name === name)
    .reduce((sum, { value }) => sum + value, 0);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
