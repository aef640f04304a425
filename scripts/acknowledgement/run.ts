/** The course of the measurement: prepare everything, warm up, then phases A B B A A B B A …, each order timed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, cpuShares, readCpu } from '@fest/loadtest/measuring/usage';
import { describeMachine } from '../measuring/machine.ts';
import { openDesk } from '../measuring/sale.ts';
import { openStage, type Stage, type StageContext } from '../measuring/stage.ts';
import { prepareHolds } from './holds.ts';
import { type LoginAccounts, prepareLogins, waitForEmptyLine } from './login-accounts.ts';
import { type LoginCounts, type LoginLoad, startLoginLoad } from './login-load.ts';
import { ACKNOWLEDGEMENT, type AcknowledgementOptions } from './options.ts';
import { type MeasuredOrder, type PreparedHold, payAtConstantRate } from './orders.ts';
import { nameHashers, sumHashers } from './passwords.ts';
import { type Arm, type Measurement, type PhaseResult, planPhases } from './phases.ts';
import { logWork, readCounters } from './server-counters.ts';

const COURSE = {
  /** Orders that are paid before the first phase and do not count: code is compiled, connections are opened. */
  warmUpMs: 3_000,
  /** Orders at the beginning of each phase that do not count. */
  leadInMs: 500,
  /** The server's line for passwords is full long before this. */
  loginsBeforePhaseMs: 2_000,
  /** After the last password was checked. */
  quietBeforePhaseMs: 500,
} as const;

export async function measure(options: AcknowledgementOptions, context: StageContext): Promise<Measurement> {
  const env = { FEST_PASSWORD_PROCESSES: String(options.passwordProcesses) };
  const stage = await openStage({ purpose: ACKNOWLEDGEMENT.command, env, ...options }, context);
  let logins: Logins | undefined;
  try {
    const machine = await describeMachine(stage);
    context.say(`The stack answers at ${stage.baseUrl}; its order log is on ${stage.fileSystem}.`);
    if (options.loginClients > 0) {
      const accounts = await prepareLogins(stage, options.loginClients);
      context.say(
        `${options.loginClients} accounts can log in; one login takes ${accounts.quietLoginMs.toFixed(0)} ms.`,
      );
      logins = { accounts, load: await startLoginLoad({ baseUrl: stage.baseUrl, ...accounts }) };
    }
    const phases = await runPhases({ options, context, stage, logins });
    return {
      options,
      machine,
      quietLoginMs: logins?.accounts.quietLoginMs,
      phases,
      loginFailures: (await logins?.load.counts())?.examples ?? [],
    };
  } finally {
    await logins?.load.close();
    await stage.close();
  }
}

interface Logins {
  readonly accounts: LoginAccounts;
  readonly load: LoginLoad;
}

interface Course {
  readonly options: AcknowledgementOptions;
  readonly context: StageContext;
  readonly stage: Stage;
  readonly logins: Logins | undefined;
}

async function runPhases(course: Course): Promise<readonly PhaseResult[]> {
  const { options, context, stage } = course;
  const { signal, say } = context;
  const plan = planPhases(options.pairs);
  const perMs = options.ordersPerSecond / 1_000;
  const warmUp = Math.ceil(COURSE.warmUpMs * perMs);
  const leadIn = Math.ceil(COURSE.leadInMs * perMs);
  const perPhase = leadIn + Math.ceil(options.phaseSeconds * 1_000 * perMs);
  const count = warmUp + plan.length * perPhase;
  say(`Preparing ${count} holds.`);
  const nowMs = Date.now();
  const desk = await openDesk(stage, 'Acknowledgement', nowMs);
  const saleId = await desk.openSale({ capacity: count, nowMs });
  const holds = await prepareHolds(stage, { saleId, count, signal });
  const pay = (paid: readonly PreparedHold[]): Promise<readonly MeasuredOrder[]> =>
    payAtConstantRate({
      servers: stage.servers,
      holds: paid,
      perSecond: options.ordersPerSecond,
      gatewayMs: options.gatewayMs,
      signal,
    });
  say(`Warming up, then ${plan.length} phases of ${options.phaseSeconds} s.`);
  await pay(holds.slice(0, warmUp));
  const phases: PhaseResult[] = [];
  for (const [index, { arm, pair }] of plan.entries()) {
    await setLogins(course, arm);
    const from = warmUp + index * perPhase;
    const observed = await observe(course, () => pay(holds.slice(from, from + perPhase)));
    const { orders, ...rest } = observed;
    phases.push({ arm, pair, orders: orders.slice(leadIn), ...rest });
    say(`Phase ${index + 1} of ${plan.length}: ${arm} logins.`);
    const broken = stage.broken();
    if (broken !== undefined) throw new Error(`the stack did not stay up: ${broken}`);
  }
  return phases;
}

/** Brings the logins into the state a phase begins with. */
async function setLogins({ context: { signal }, stage, logins }: Course, arm: Arm): Promise<void> {
  if (logins !== undefined && logins.load.running !== (arm === 'with')) {
    if (arm === 'with') {
      await logins.load.start();
      await sleep(COURSE.loginsBeforePhaseMs, undefined, { signal });
    } else {
      await logins.load.stop();
      await waitForEmptyLine(stage.baseUrl, logins.accounts, signal);
    }
  }
  await sleep(COURSE.quietBeforePhaseMs, undefined, { signal });
}

const NO_LOGINS: LoginCounts = { done: 0, refused: 0, failed: 0, gaveUp: 0, atServerMs: 0, examples: [] };

/** Runs one phase and tells what the machine, the order log and the logins did meanwhile. */
async function observe(
  { stage, logins }: Course,
  work: () => Promise<readonly MeasuredOrder[]>,
): Promise<Omit<PhaseResult, 'arm' | 'pair'>> {
  const pids = {
    ...stage.pids,
    orders: process.pid,
    ...nameHashers(childrenOf(stage.pids['server-1'])),
    ...(logins === undefined ? {} : { logins: logins.load.pid }),
  };
  const look = async () => {
    const [counters, counts] = await Promise.all([readCounters(stage.baseUrl), logins?.load.counts() ?? NO_LOGINS]);
    return { counters, counts, cpu: readCpu(pids) };
  };
  const before = await look();
  const orders = await work();
  const after = await look();
  const seconds = (after.cpu.atMs - before.cpu.atMs) / 1_000;
  const rate = (name: 'done' | 'refused' | 'gaveUp' | 'failed'): number =>
    (after.counts[name] - before.counts[name]) / seconds;
  return {
    orders,
    logins: {
      done: rate('done'),
      refused: rate('refused'),
      gaveUp: rate('gaveUp'),
      failed: rate('failed'),
      atServer: (after.counts.atServerMs - before.counts.atServerMs) / seconds / 1_000,
    },
    cpu: sumHashers(cpuShares(before.cpu, after.cpu)),
    log: logWork(before.counters, after.counters),
  };
}
