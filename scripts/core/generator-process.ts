/** A process of its own that sends the load, on a processor of its own; it reads the processors' time exactly at the window's edges. */
import { generate } from '@fest/loadtest/generator/generate';
import { type CpuReading, readCpu } from '@fest/loadtest/measuring/usage';
import type { BlockResult, FromGenerator, ToGenerator } from './generator.ts';
import { createWork } from './jobs.ts';

const HOST = '127.0.0.1';
/** A server that says nothing for this long has failed. */
const SILENCE_MS = 15_000;

async function runBlock({ job, port, lanes, leadIn, leadOut, watched }: ToGenerator): Promise<BlockResult> {
  const work = createWork(job);
  const pids = { ...watched, generator: process.pid };
  const readings: CpuReading[] = [];
  const result = await generate(work, {
    host: HOST,
    port,
    lanes,
    leadIn,
    leadOut,
    silenceMs: SILENCE_MS,
    onWindow: () => readings.push(readCpu(pids)),
  });
  const [begin, end] = readings;
  return {
    ...result,
    captured: work.captured,
    cpu: begin !== undefined && end !== undefined ? { begin, end } : undefined,
  };
}

const answer = (message: FromGenerator): void => {
  process.send?.(message);
};

process.on('message', (message: ToGenerator) => {
  runBlock(message).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal goes to everybody; the measurement ends this process when it has stopped.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined);
