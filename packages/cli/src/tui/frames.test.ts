import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FRAME_LIMITS, type Frames, startFrames } from './frames.ts';

let drawnAtMs: number[];
let frames: Frames;

beforeEach(() => {
  vi.useFakeTimers();
  drawnAtMs = [];
  frames = startFrames(() => drawnAtMs.push(Math.round(performance.now())));
});

afterEach(() => {
  frames.stop();
  vi.useRealTimers();
});

test('draws once a second, however often something changes', async () => {
  const changing = setInterval(() => frames.later(), 10);
  await vi.advanceTimersByTimeAsync(10_000);
  clearInterval(changing);
  expect(drawnAtMs.length).toBeGreaterThanOrEqual(9);
  expect(drawnAtMs.length).toBeLessThanOrEqual(11);
});

test('draws when nothing comes: ages grow', async () => {
  await vi.advanceTimersByTimeAsync(5_000);
  expect(drawnAtMs.length).toBeGreaterThanOrEqual(4);
  expect(drawnAtMs.length).toBeLessThanOrEqual(6);
});

test('a key is drawn at once, several together once', async () => {
  await vi.advanceTimersByTimeAsync(500);
  const before = drawnAtMs.length;
  frames.soon();
  frames.soon();
  await vi.advanceTimersByTimeAsync(FRAME_LIMITS.keyMs);
  expect(drawnAtMs.length).toBe(before + 1);
});

test('draws nothing after it was stopped', async () => {
  await vi.advanceTimersByTimeAsync(1_500);
  const before = drawnAtMs.length;
  frames.later();
  frames.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(drawnAtMs.length).toBe(before);
});
