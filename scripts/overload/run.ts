/** The course of the measurement: the peak in a closed loop, then multiples of the people who made it, each audited. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { type CpuShares, cpuShares } from '@fest/loadtest/measuring/usage';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { LIMITS } from '@fest/server/limits';
import { auditAll } from '../core/audit.ts';
import { runBlock } from '../core/block.ts';
import { edgesWithin } from '../core/edges.ts';
import { type Hall, openHall, setStage, waitUntilSettled } from '../core/hall.ts';
import { pin } from '../core/processors.ts';
import type { Machine } from '../measuring/machine.ts';
import type { StageContext } from '../measuring/stage.ts';
import { type Crowd, type CrowdResult, startCrowd } from './crowd.ts';
import { OVERLOAD, type OverloadOptions } from './options.ts';

export interface PeakStep {
  readonly lanes: number;
  readonly ordersPerSecond: number;
  readonly requestsPerSecond: number;
  readonly shares: Readonly<Record<string, number>>;
  /** Why it does not count. */
  readonly fault: string | undefined;
}

export interface Phase {
  readonly factor: number;
  readonly arrivalsPerSecond: number;
  readonly crowd: Omit<CrowdResult, 'cpu'>;
  readonly cpu: CpuShares;
  /** Refused in front of everything, from the beginning to the end of the phase: `class reason`. */
  readonly shed: Readonly<Record<string, number>>;
  readonly isClean: boolean;
}

export interface OverloadMeasurement {
  readonly options: OverloadOptions;
  readonly machine: Machine;
  readonly isPinned: boolean;
  readonly leftOut: readonly string[];
  readonly steps: readonly PeakStep[];
  readonly peakPerSecond: number;
  /** Buyers admitted a second while people came by themselves. */
  readonly admittedPerSecond: number;
  readonly phases: readonly Phase[];
}

/** Buyers at once, where the peak is looked for. */
const LANES = [128, 256, 512, 1_024] as const;
/** A peak is found when twice the lanes make less than this much more. */
const GROWTH_MIN = 1.03;
/** More buyers are admitted than orders can be made, so that the server is the bottleneck and not the line. */
const ADMISSION_FACTOR = 1.5;
/** Accounts for a factor, beyond those that are expected: arrivals are a Poisson process. */
const SPARE_ARRIVALS = 1.05;
const READ_MS = 20_000;
const QUIET_MS = 2_000;

export async function measure(options: OverloadOptions, context: StageContext): Promise<OverloadMeasurement> {
  const hall = await openHall(
    { directory: options.directory, purpose: OVERLOAD.command, buyers: options.purchases },
    context,
  );
  const crowd = startCrowd(context.signal);
  try {
    for (const line of hall.leftOut) hall.say(line);
    if (hall.pinning !== undefined) pin(crowd.pid, [hall.pinning.generator]);
    const steps = await findPeak(hall, options);
    const peakPerSecond = Math.max(...steps.map(({ ordersPerSecond }) => ordersPerSecond));
    hall.say(`The peak: ${Math.round(peakPerSecond)} orders a second.`);
    await gather(hall, crowd, options, peakPerSecond);
    const admittedPerSecond = Math.min(LIMITS.perSecondMax, Math.ceil(peakPerSecond * ADMISSION_FACTOR));
    const phases: Phase[] = [];
    for (const factor of options.factors) {
      phases.push(await measurePhase(hall, crowd, { options, factor, peakPerSecond, admittedPerSecond }));
    }
    const { machine, leftOut, pinning } = hall;
    return {
      options,
      machine,
      leftOut,
      isPinned: pinning !== undefined,
      steps,
      peakPerSecond,
      admittedPerSecond,
      phases,
    };
  } finally {
    await crowd.close();
    await hall.close();
  }
}

/** W5 with more and more buyers at once, until it does not grow. */
async function findPeak(hall: Hall, { purchases }: OverloadOptions): Promise<readonly PeakStep[]> {
  const steps: PeakStep[] = [];
  let best = 0;
  // The first one compiles the code, and does not count.
  for (const [index, count] of [LANES[0], ...LANES].entries()) {
    const step = await closedLoop(hall, count, purchases);
    if (index === 0) continue;
    steps.push(step);
    hall.say(`${count} buyers at once: ${Math.round(step.ordersPerSecond)} orders a second. ${step.fault ?? ''}`);
    if (step.fault !== undefined || step.ordersPerSecond < best * GROWTH_MIN) break;
    best = step.ordersPerSecond;
  }
  if (steps.every(({ ordersPerSecond }) => ordersPerSecond === 0)) throw new Error('no order was made');
  return steps;
}

async function closedLoop(hall: Hall, lanes: number, purchases: number): Promise<PeakStep> {
  const { desk, tokens } = hall;
  const saleId = await desk.openSale({ capacity: purchases, nowMs: Date.now() });
  const job = { kind: 'purchase', saleId, tokens: tokens.slice(0, purchases) } as const;
  const { units, requests, seconds, shares, faults } = await runBlock(hall, {
    measured: 'server',
    job,
    lanes,
    edges: edgesWithin(purchases, lanes),
  });
  await waitUntilSettled(hall);
  await desk.closeSale(saleId);
  const [fault] = faults;
  return {
    lanes,
    ordersPerSecond: fault === undefined ? units / seconds : 0,
    requestsPerSecond: fault === undefined ? requests / seconds : 0,
    shares,
    fault,
  };
}

async function gather(hall: Hall, crowd: Crowd, options: OverloadOptions, peakPerSecond: number): Promise<void> {
  const { stage, say } = hall;
  const seconds = options.leadInSeconds + options.seconds;
  const count = Math.ceil(Math.max(...options.factors) * peakPerSecond * seconds * SPARE_ARRIVALS);
  say(`Making ${count} accounts.`);
  const { baseUrls, mysqlUrl } = stage.stack.state;
  const { jwtSecret } = ensureSecrets(stage.stack.paths.secrets);
  const { tokens } = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret, count, overHttp: 0 });
  await crowd.gather(tokens);
}

interface PhasePlan {
  readonly options: OverloadOptions;
  readonly factor: number;
  readonly peakPerSecond: number;
  readonly admittedPerSecond: number;
}

async function measurePhase(hall: Hall, crowd: Crowd, plan: PhasePlan): Promise<Phase> {
  const { desk, stage, say } = hall;
  const { options, factor, peakPerSecond, admittedPerSecond } = plan;
  const { leadInSeconds, seconds, connections, noShows } = options;
  const arrivalsPerSecond = factor * peakPerSecond;
  say(`${factor} × the arrivals: ${Math.round(arrivalsPerSecond)} a second.`);
  setStage(hall, 'server');
  const capacity = Math.min(LIMITS.capacityTickets, Math.ceil(3 * peakPerSecond * (leadInSeconds + seconds)));
  const saleId = await desk.openSale({ capacity, nowMs: Date.now() });
  await desk.setRate(saleId, admittedPerSecond);
  const before = await readShed(hall);
  const { cpu, ...result } = await crowd.run({
    port: Number(new URL(stage.baseUrl).port),
    arrivalsPerSecond,
    leadInMs: leadInSeconds * 1_000,
    measuredMs: seconds * 1_000,
    connections,
    saleId,
    noShowShare: noShows / 100,
    watched: { ...stage.pids },
  });
  const broken = stage.broken();
  if (broken !== undefined) throw new Error(`the stack did not stay up: ${broken}`);
  await waitUntilSettled(hall);
  const after = await readShed(hall);
  await desk.closeSale(saleId);
  const { clean, said } = await auditAll(hall);
  if (!clean) say(said);
  await sleep(QUIET_MS, undefined, { signal: hall.signal });
  const shed = Object.fromEntries([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
  say(`${Math.round(result.orders / result.seconds)} orders a second; the audit is ${clean ? 'clean' : 'NOT CLEAN'}.`);
  return { factor, arrivalsPerSecond, crowd: result, cpu: cpuShares(cpu.begin, cpu.end), shed, isClean: clean };
}

async function readShed({ stage }: Hall): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(stage.baseUrl + SERVICE_PATHS.metrics, { signal: AbortSignal.timeout(READ_MS) });
  const lines = (await answer.text()).matchAll(/^fest_shed_requests_total\{class="(\w+)",reason="(\w+)"\} (\d+)$/gm);
  return new Map([...lines].map(([, name, reason, count]) => [`${name} ${reason}`, Number(count)]));
}
