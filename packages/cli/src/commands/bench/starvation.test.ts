import type { CpuUse, TimelineRow } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { TOTALS } from '../../test-support/bench-facts.ts';
import { describeStarvation, isStarved } from './starvation.ts';

const cpu = (generator: number | null, server: number, others = 0): CpuUse => ({
  processors: 2,
  generator,
  observer: 0,
  processes: { 'server-1': server },
  others,
  stolen: 0,
});

const row = (use: CpuUse | null, seconds = 1, requests = 0): TimelineRow => ({
  atMs: 0,
  seconds,
  requests,
  unexpected: 0,
  refused: 0,
  purchases: 0,
  dropped: 0,
  users: 1,
  latency: TOTALS.latency,
  endpoints: {},
  cpu: use,
  server: null,
  sale: null,
});

describe('a generator', () => {
  it.each([
    ['has room on an idle machine', cpu(0.2, 0.3), false],
    ['has room with half a processor left', cpu(0.5, 1), false],
    ['is starved when it took nine tenths of what the server left', cpu(0.91, 1), true],
    ['is starved when hardly anything is idle, whoever took it', cpu(0.1, 1, 0.85), true],
    ['is starved when the host gave the processors to others', { ...cpu(0.1, 0.2), stolen: 1.65 }, true],
    ['is unknown where it cannot be seen', cpu(null, 1.9), undefined],
  ])('%s', (_, use, verdict) => {
    expect(isStarved(use)).toBe(verdict);
  });

  const fine = cpu(0.2, 0.3);
  const starved = cpu(0.99, 1);
  it('makes a run worthless as to latency in more than a tenth of its time', () => {
    expect(describeStarvation([...Array(9).fill(row(fine)), row(starved)])).toBeNull();
    expect(describeStarvation([...Array(8).fill(row(fine)), row(starved)])).toMatch(/In 11 % of the time/);
    expect(describeStarvation([row(fine), row(starved, 5)])).toMatch(/In 83 % of the time/);
  });

  it('makes a run worthless as to latency when more than a tenth of the requests had to wait for it, in however few seconds', () => {
    const quiet = Array(99).fill(row(fine, 1, 90));
    expect(describeStarvation([...quiet, row(starved, 1, 900)])).toBeNull();
    expect(describeStarvation([...quiet, row(starved, 1, 1_200)])).toMatch(/While 11 % of the requests were answered/);
  });

  it('is given the benefit of the doubt where nothing is known', () => {
    expect(describeStarvation([row(null), row(cpu(null, 2))])).toBeNull();
    expect(describeStarvation([])).toBeNull();
  });
});
