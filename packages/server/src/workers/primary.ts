/** The primary: the process that holds the port and looks after the workers. It answers no request and opens no store. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from '../config.ts';
import { LIMITS } from '../limits.ts';
import { createLogger } from '../platform/logger.ts';
import { forkWorker } from './fork-worker.ts';
import { Supervisor, type SupervisorPace } from './supervisor.ts';

/** What a process needs beyond its own bounds to notice that it is told, and to end. */
const MARGIN_MS = 2_000;

function paceOf({ lameDuckMs }: Config): SupervisorPace {
  return {
    readyMs: LIMITS.workerReadyMs,
    heardMs: LIMITS.workerHeardMs,
    answerMs: LIMITS.workerAnswerMs,
    figuresMs: LIMITS.figuresMs,
    roomMs: LIMITS.roomTrustMs,
    restartFirstMs: LIMITS.workerRestartFirstMs,
    restartMaxMs: LIMITS.workerRestartMaxMs,
    healthyMs: LIMITS.workerHealthyMs,
    replaceMs: LIMITS.workerFarewellMs + LIMITS.stopMs + MARGIN_MS,
    stopMs: lameDuckMs + LIMITS.stopMs + MARGIN_MS,
  };
}

/**
 * Runs the workers until the process is told to stop. SIGTERM and SIGINT: all finish what they are at; a second one ends them at
 * once. SIGHUP: a rolling restart.
 *
 * @returns the exit code
 */
export async function runPrimary(config: Config): Promise<number> {
  const logger = createLogger(config, { process: 'primary' });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const supervisor = new Supervisor({
    workers: config.workers,
    spawn: forkWorker,
    logger,
    pace: paceOf(config),
    random: Math.random,
    answer: async (what) => (what === 'metrics' ? registry.getMetricsAsJSON() : undefined),
  });
  const end = Promise.withResolvers<number>();
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      logger.error({ signal }, 'told to stop once more: ending the workers at once');
      supervisor.kill();
      end.resolve(1);
      return;
    }
    isStopping = true;
    logger.info({ signal }, 'stopping the workers');
    void supervisor.stop().then((well) => {
      logger.info('stopped');
      end.resolve(well ? 0 : 1);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => void supervisor.roll());

  const { workers } = config;
  logger.info({ workers, pid: process.pid, node: process.version }, 'starting the workers');
  const outcome = await supervisor.start();
  if (outcome.status === 'failed' && !isStopping) {
    const { worker, end: how } = outcome;
    logger.fatal({ worker, ...how }, 'a worker cannot start; stopping. Its own message is above');
    return how.exitCode === null || how.exitCode === 0 ? 1 : how.exitCode;
  }
  if (outcome.status === 'ready' && !isStopping) logger.info({ workers }, 'all workers are ready');
  return end.promise;
}
