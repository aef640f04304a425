/** Lets a crowd through a line and writes down what happened. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CrowdOptions, FairnessCrowd } from './crowd.ts';
import type { LineRecord } from './record.ts';
import { CrowdServers } from './servers.ts';
import { ServingWatch } from './watch.ts';

export interface RecordOptions {
  readonly baseUrls: readonly string[];
  readonly redisUrl: string;
  readonly rejoin: LineRecord['rejoin'];
  readonly admissionMs: number;
  readonly crowd: CrowdOptions;
  /** Now and then: how many of the crowd have come to an end. */
  readonly onProgress?: (done: number) => void;
}

const PROGRESS_EVERY_MS = 10_000;

/** @throws {Error} when a connection fails or the crowd's signal aborts: a record with a hole would prove nothing */
export async function recordLine(options: RecordOptions): Promise<LineRecord> {
  const { baseUrls, redisUrl, rejoin, admissionMs, onProgress } = options;
  const servers = new CrowdServers(baseUrls);
  const watch = await ServingWatch.begin(redisUrl, options.crowd.saleId);
  const crowd = new FairnessCrowd(servers, options.crowd);
  const progress = setInterval(() => onProgress?.(crowd.done), PROGRESS_EVERY_MS);
  try {
    await crowd.play();
    await sleep(10);
  } finally {
    clearInterval(progress);
    servers.close();
    await watch.end();
  }
  return { rejoin, admissionMs, ...crowd.record, samples: watch.samples };
}
