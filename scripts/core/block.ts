/** One block: a short time under load, and what it cost. */
import { cpuShares } from '@fest/loadtest/measuring/usage';
import type { Edges } from './edges.ts';
import type { BlockResult } from './generator.ts';
import { type Hall, type Measured, setStage } from './hall.ts';
import type { Job } from './jobs.ts';

export interface Block {
  /** In the measured window. */
  readonly units: number;
  readonly requests: number;
  readonly seconds: number;
  /** Processor time of the measured process for one unit, microseconds; undefined: the system does not tell. */
  readonly cpuMicros: number | undefined;
  /** Processors' worth by process (`server`: the measured one), and of everything else on the machine. */
  readonly shares: Readonly<Record<string, number>>;
  readonly others: number | undefined;
  readonly stolen: number | undefined;
  readonly answers: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

export const unitsPerSecond = ({ units, seconds }: Block): number => units / seconds;

export interface BlockOrder {
  readonly measured: Measured;
  readonly job: Job;
  readonly lanes: number;
  readonly edges: Edges;
}

export interface RanBlock extends Block {
  readonly captured: readonly string[];
}

/** @throws {Error} when a process ended or the run was interrupted; what the server answers wrongly is in `faults` */
export async function runBlock(hall: Hall, { measured, job, lanes, edges }: BlockOrder): Promise<RanBlock> {
  const { generator, stage, ceilings } = hall;
  setStage(hall, measured);
  const { 'server-1': server = 0, ...engines } = stage.pids;
  const result = await generator.run({
    job,
    port: measured === 'server' ? Number(new URL(stage.baseUrl).port) : ceilings.port,
    lanes,
    ...edges,
    watched: {
      ...engines,
      server: measured === 'server' ? server : ceilings.pid,
      idle: measured === 'server' ? ceilings.pid : server,
    },
  });
  const broken = stage.broken();
  if (broken !== undefined) throw new Error(`the stack did not stay up: ${broken}`);
  return describeBlock(result);
}

function describeBlock({ cpu, captured, ...result }: BlockResult): RanBlock {
  const { units, requests, seconds, answers, faults } = result;
  const used = cpu === undefined ? undefined : cpuShares(cpu.begin, cpu.end);
  const share = used?.processes.server;
  return {
    units,
    requests,
    seconds,
    cpuMicros: share === undefined || units === 0 ? undefined : (share * seconds * 1_000_000) / units,
    shares: used?.processes ?? {},
    others: used?.others,
    stolen: used?.stolen,
    answers,
    faults,
    captured,
  };
}
