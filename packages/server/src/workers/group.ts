/** What a worker says on behalf of its server: the figures and the health of all its workers. */
import type { Group } from '../app.ts';
import { LIMITS } from '../limits.ts';
import { type HealthFacts, readinessOf } from '../platform/health.ts';
import { openPrimaryChannel } from './fork-worker.ts';
import { groupHealth, type WorkerHealth, withOwnHealth } from './group-health.ts';
import { exposeMetrics } from './group-metrics.ts';
import { shareReading } from './shared-reading.ts';
import { WorkerLink } from './worker-link.ts';

/** Those of all workers. The printing is work, some 5 ms for each worker, and whoever reaches the port can ask for it. */
async function printFigures(link: WorkerLink): Promise<{ readonly text: string; readonly tookMs: number }> {
  const gathered = await link.gather('metrics');
  const beganMs = performance.now();
  const text = await exposeMetrics(gathered, link.workers);
  return { text, tookMs: performance.now() - beganMs };
}

/** @param facts of this worker */
export function groupOf(link: WorkerLink, facts: () => Promise<HealthFacts>): Group {
  const { workers } = link;
  const ownHealth = async (): Promise<WorkerHealth> => {
    const own = await facts();
    return { status: readinessOf(own), applierLag: own.applierLag };
  };
  link.answer('health', ownHealth);
  return {
    metrics: (own) => {
      link.answer('metrics', () => own.getMetricsAsJSON());
      const reading = shareReading(
        () => printFigures(link),
        LIMITS.workerFiguresMs,
        ({ tookMs }) => tookMs,
      );
      return async () => (await reading()).text;
    },
    health: async () => {
      const [gathered, own] = await Promise.all([link.gather('health'), ownHealth()]);
      return groupHealth(withOwnHealth(gathered, link.worker, own), workers);
    },
  };
}

/** @param worker which one this process is, from 1 @param workers how many there are */
export function linkToPrimary(worker: number, workers: number): WorkerLink {
  return new WorkerLink({ worker, workers, channel: openPrimaryChannel(), answerMs: LIMITS.workersAnswerMs });
}
