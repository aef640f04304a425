/** A process of its own that plays the crowd, and reads the processors' time exactly at the window's edges. */
import { type OpenLoadResult, runOpenLoad } from '@fest/loadtest/generator/open-load';
import { VISIT_KINDS, type VisitKind, Visitor } from '@fest/loadtest/generator/visitors';
import { type CpuReading, readCpu } from '@fest/loadtest/measuring/usage';
import type { CrowdResult, FromCrowd, KindResult, ToCrowd } from './crowd.ts';

const HOST = '127.0.0.1';
let tokens: readonly string[] = [];

async function run(phase: Extract<ToCrowd, { kind: 'run' }>): Promise<CrowdResult> {
  const { saleId, noShowShare, watched, ...load } = phase;
  const pids = { ...watched, crowd: process.pid };
  const readings: CpuReading[] = [];
  const result = await runOpenLoad({
    ...load,
    host: HOST,
    random: Math.random,
    visitorOf: (index) => {
      const token = tokens[index];
      return token === undefined ? undefined : new Visitor({ saleId, token, shows: Math.random() >= noShowShare });
    },
    onWindow: () => readings.push(readCpu(pids)),
  });
  const [begin, end] = readings;
  if (begin === undefined || end === undefined) throw new Error('the load had no window');
  return { ...summarise(result), cpu: { begin, end } };
}

function summarise({ kinds, ...rest }: OpenLoadResult): Omit<CrowdResult, 'cpu'> {
  const entries = VISIT_KINDS.map((kind): [VisitKind, KindResult] => {
    const { due, statuses, latenciesMs } = kinds[kind];
    const sorted = latenciesMs.sort((a, b) => a - b);
    const quantile = (share: number): number | undefined => sorted[Math.ceil(sorted.length * share) - 1];
    return [kind, { due, statuses, p50Ms: quantile(0.5), p99Ms: quantile(0.99) }];
  });
  return { ...rest, kinds: Object.fromEntries(entries) as Record<VisitKind, KindResult> };
}

const answer = (message: FromCrowd): void => {
  process.send?.(message);
};

process.on('message', (message: ToCrowd) => {
  if (message.kind === 'tokens') {
    tokens = message.tokens;
    answer({ ready: true });
    return;
  }
  run(message).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal goes to everybody; the measurement ends this process when it has stopped.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined);
