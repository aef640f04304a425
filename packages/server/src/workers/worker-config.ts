/** What each of several workers is told of the configuration of their server. Pure. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { LIMITS } from '../limits.ts';

/** The part of a whole that each of `workers` gets, rounded up so that nothing of it is lost. */
function shareOf(whole: number, workers: number): number {
  return Math.ceil(whole / workers);
}

/** Standard deviations: one worker in 30,000 gets more than that by chance. */
const CHANCE = 4;

/**
 * The part of what a crowd may do. Whose connections go round comes to all workers alike but for chance, and nobody is to be
 * refused for that: so each gets its part and a margin. Never more than the whole; 0 stays without bound.
 */
function crowdShareOf(whole: number, workers: number): number {
  const mean = whole / workers;
  return Math.min(whole, Math.ceil(mean + CHANCE * Math.sqrt(mean)));
}

/** The folder of the order log of one worker, in that of the server. */
function workerLogDirectory(logDirectory: string, worker: number): string {
  return join(logDirectory, `worker-${worker}`);
}

/** A single process has its log in the folder itself, several have one each below it. */
export function ownLogDirectories({
  logDirectory,
  workers,
}: Pick<Config, 'logDirectory' | 'workers'>): readonly string[] {
  if (workers === 1) return [logDirectory];
  return Array.from({ length: workers }, (_, index) => workerLogDirectory(logDirectory, index + 1));
}

/**
 * A worker is a server of its own but for the port: it has an order log and a name of its own. Bounds that the configuration
 * sets for the server are shared out, so that a machine is loaded alike however many workers it has.
 *
 * @param worker from 1
 */
export function workerConfig(config: Config, worker: number): Config {
  const { workers, mysqlPoolSize } = config;
  return {
    ...config,
    // Also the name of a file, of the simulated gateway.
    serverName: `${config.serverName}-worker-${worker}`,
    logDirectory: workerLogDirectory(config.logDirectory, worker),
    mysqlPoolSize: Math.min(mysqlPoolSize, Math.max(LIMITS.workerMysqlConnectionsMin, shareOf(mysqlPoolSize, workers))),
    liveSockets: shareOf(config.liveSockets, workers),
    // Connections go round, so those from one address are spread as all are. 0 stays without bound.
    liveSocketsPerAddress: shareOf(config.liveSocketsPerAddress, workers),
    // Not those of accounts: all that one buyer asks for may come over one connection.
    joinsPerAddress: crowdShareOf(config.joinsPerAddress, workers),
    holdsPerAddress: crowdShareOf(config.holdsPerAddress, workers),
    signUpsPerAddress: crowdShareOf(config.signUpsPerAddress, workers),
    loginsPerAddress: crowdShareOf(config.loginsPerAddress, workers),
    refreshesPerAddress: crowdShareOf(config.refreshesPerAddress, workers),
    passwordThreads: Math.max(1, Math.floor(config.passwordThreads / workers)),
  };
}
