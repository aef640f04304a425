/** What a worker says on behalf of its server: the figures and the health of all its workers. */
import type { Group } from '../app.ts';
import { LIMITS } from '../limits.ts';
import { type HealthFacts, readinessOf } from '../platform/health.ts';
import { sharePrinting } from '../platform/metrics.ts';
import { openPrimaryChannel } from './fork-worker.ts';
import { groupHealth, type WorkerHealth, withOwnHealth } from './group-health.ts';
import { exposeMetrics } from './group-metrics.ts';
import { WorkerLink } from './worker-link.ts';

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
      return sharePrinting(async () => {
        const gathered = await link.gather('metrics');
        return () => exposeMetrics(gathered, workers);
      });
    },
    health: async () => {
      const [gathered, own] = await Promise.all([link.gather('health'), ownHealth()]);
      return groupHealth(withOwnHealth(gathered, link.worker, own), workers);
    },
    port: link,
  };
}

/** @param worker which one this process is, from 1 @param workers how many there are */
export function linkToPrimary(worker: number, workers: number): WorkerLink {
  return new WorkerLink({ worker, workers, channel: openPrimaryChannel(), answerMs: LIMITS.workersAnswerMs });
}
