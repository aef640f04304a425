/** Everything a measurement needs, started and stopped together. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import type { SaleDesk } from '@fest/cli/sale-desk';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { describeMachine, type Machine } from '../measuring/machine.ts';
import { openDesk } from '../measuring/sale.ts';
import { openStage, type Stage, type StageContext } from '../measuring/stage.ts';
import { type Ceilings, startCeilings } from './ceilings.ts';
import { type Generator, startGenerator } from './generator.ts';
import { findPinning, type Pinning, pin } from './processors.ts';

/** What the simulated gateway takes: short, so that payments under way are under way with us and not with it. */
export const GATEWAY_MS = 5;

export interface Hall {
  readonly stage: Stage;
  readonly desk: SaleDesk;
  readonly ceilings: Ceilings;
  readonly generator: Generator;
  readonly machine: Machine;
  readonly pinning: Pinning | undefined;
  /** What this machine does not offer, a sentence each. */
  readonly leftOut: readonly string[];
  /** Access tokens of buyers; in each sale each of them may buy once. */
  readonly tokens: readonly string[];
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Gives every process all processors again. */
  unpin(): void;
  close(): Promise<void>;
}

export interface HallOptions {
  /** The command that starts it. */
  readonly purpose: string;
  readonly directory: string | undefined;
  /** How many accounts there are to be. */
  readonly buyers: number;
  /** Where the server leaves its processor profile when it ends. */
  readonly cpuProfile?: string | undefined;
  /** What the server is told besides. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Only the server sees this: its threads for the log and for passwords leave profiles of their own. */
function profiling(directory: string | undefined): Readonly<Record<string, string>> {
  if (directory === undefined) return {};
  // 1 ms: at the default of Node's a crowd's server takes a third longer.
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval=1000 --cpu-prof-dir=${resolve(directory)}` };
}

export async function openHall(options: HallOptions, context: StageContext): Promise<Hall> {
  const { purpose, directory, buyers, cpuProfile } = options;
  const { signal, say } = context;
  const found = findPinning(process.platform);
  const opened: Array<() => Promise<void>> = [];
  const close = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each();
  };
  try {
    const stage = await openStage(
      { purpose, directory, gatewayMs: GATEWAY_MS, env: { ...profiling(cpuProfile), ...options.env } },
      context,
    );
    opened.push(() => stage.close());
    say(`The stack answers at ${stage.baseUrl}; its order log is on ${stage.fileSystem}.`);
    const ceilings = await startCeilings(stage.stack.state.redisUrl, signal);
    opened.push(() => ceilings.close());
    const generator = startGenerator(signal);
    opened.push(() => generator.close());
    if (found.pinning !== undefined) pinAll(found.pinning, stage, ceilings.pid, generator.pid);
    const { baseUrls, mysqlUrl } = stage.stack.state;
    const { jwtSecret } = ensureSecrets(stage.stack.paths.secrets);
    if (buyers > 0) say(`Making ${buyers} accounts.`);
    const { tokens } = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret, count: buyers, overHttp: 0 });
    return {
      stage,
      desk: await openDesk(stage, `Measured ${randomBytes(3).toString('hex')}`, Date.now()),
      ceilings,
      generator,
      machine: await describeMachine(stage),
      pinning: found.pinning,
      leftOut: found.pinning === undefined ? [`Nothing is pinned: ${found.why}.`] : [],
      tokens,
      signal,
      say,
      unpin() {
        if (found.pinning === undefined) return;
        for (const pid of [...Object.values(stage.pids), ceilings.pid, generator.pid, process.pid]) pin(pid, found.all);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function pinAll(pinning: Pinning, stage: Stage, ceilings: number, generator: number): void {
  for (const pid of Object.values(stage.pids)) pin(pid, pinning.rest);
  pin(ceilings, pinning.rest);
  pin(generator, [pinning.generator]);
}

export type Measured = 'server' | 'ceilings';

/** Whoever is measured has the processor to itself; the other one does its little beside the rest. */
export function setStage({ pinning, stage, ceilings }: Hall, measured: Measured): void {
  if (pinning === undefined) return;
  const server = stage.pids['server-1'] ?? 0;
  pin(server, measured === 'server' ? [pinning.server] : pinning.rest);
  pin(ceilings.pid, measured === 'ceilings' ? [pinning.server] : pinning.rest);
}

const SETTLED_WITHIN_MS = 30_000;
const LOOK_MS = 50;
const READ_MS = 20_000;

/** What the server of a stage told last: it tells the same for a second, and then it may be of before the work to wait for. */
const told = new WeakMap<Hall['stage'], string>();

/** Waits until the server has nothing left to do: no payment under way, every order in MySQL. */
export async function waitUntilSettled({ stage, signal }: Hall): Promise<void> {
  for (const deadline = performance.now() + SETTLED_WITHIN_MS; performance.now() < deadline; ) {
    signal.throwIfAborted();
    const answer = await fetch(stage.baseUrl + SERVICE_PATHS.metrics, { signal: AbortSignal.timeout(READ_MS) });
    const text = await answer.text();
    const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    const isNew = text !== told.get(stage);
    told.set(stage, text);
    if (isNew && read('fest_payments_in_flight') === 0 && read('fest_applier_lag_records') === 0) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`the server was not done with its orders within ${SETTLED_WITHIN_MS / 1_000} s`);
}
