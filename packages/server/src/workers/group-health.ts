/** Whether a server of several workers may be given buyers. Pure. */
import type { Readiness, WorkerReadiness } from '../platform/health.ts';
import type { Gathered } from './messages.ts';

/** What a worker answers when it is asked for its health. */
export interface WorkerHealth {
  readonly status: Readiness;
  readonly applierLag: number;
}

function isHealth(answer: unknown): answer is WorkerHealth {
  return typeof answer === 'object' && answer !== null && 'status' in answer && 'applierLag' in answer;
}

export interface GroupHealth {
  readonly status: Readiness;
  /** Of all workers that answered. */
  readonly applierLag: number;
  readonly workers: WorkerReadiness[];
}

/**
 * Whoever is asked is there, and knows how it is, also when the loops of all are so late that the primary heard of nobody in time.
 *
 * @param worker whose answer `own` is
 */
export function withOwnHealth({ workers, ...others }: Gathered, worker: number, own: WorkerHealth): Gathered {
  const ofOthers = workers.filter((report) => report.worker !== worker);
  return { ...others, workers: [...ofOthers, { worker, state: 'ready', crashes: 0, answer: own }] };
}

/**
 * A load balancer sees one port: as long as one worker takes requests it goes on, also while the others start anew one by one.
 *
 * @param workers how many there are to be
 */
export function groupHealth({ workers: reports }: Gathered, workers: number): GroupHealth {
  const answers = Array.from({ length: workers }, (_, index) => {
    const report = reports.find(({ worker }) => worker === index + 1);
    return { worker: index + 1, health: isHealth(report?.answer) ? report.answer : undefined };
  });
  const listed = answers.map(({ worker, health }) => ({ worker, status: health?.status ?? ('away' as const) }));
  const sells = listed.some(({ status }) => status === 'ready' || status === 'degraded');
  return {
    status: !sells ? 'notReady' : listed.every(({ status }) => status === 'ready') ? 'ready' : 'degraded',
    applierLag: answers.reduce((sum, { health }) => sum + (health?.applierLag ?? 0), 0),
    workers: listed,
  };
}
