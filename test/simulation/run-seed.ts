/** One seed from its beginning to its end. The same seed always does the same. */
import { enterSimulation, leaveSimulation, realNowMs } from './engine/environment.ts';
import type { Recorded } from './mysql/database.ts';
import type { TableSchema } from './mysql/schema.ts';
import { type Circumstances, checkCircumstances, FaultPlan } from './world/faults.ts';
import { checkAtRest, heal } from './world/healing.ts';
import { Violation } from './world/oracle.ts';
import { checkReplay } from './world/replay.ts';
import { World } from './world/world.ts';

export interface SeedOptions {
  readonly seed: number;
  /** Events before the faults end. What follows until everything rests comes on top. */
  readonly steps: number;
  readonly schemas: readonly TableSchema[];
  readonly changeScript?: (source: string) => string;
  readonly circumstances?: Circumstances;
  readonly record?: (recorded: Recorded) => void;
}

export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly orders: number;
  readonly cancelled: number;
  readonly payments: number;
  readonly refunds: number;
  readonly epoch: number;
  readonly faults: Readonly<Record<string, number>>;
  /** The same for the same seed, whatever ran before it. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly realMs: number;
  readonly failure: SeedFailure | undefined;
}

export interface SeedFailure {
  readonly invariant: string;
  readonly message: string;
  readonly facts: string;
  readonly step: number;
  /** What happened last. */
  readonly trace: readonly string[];
}

/** Milliseconds between two actions of all buyers together: half of them less. */
const PACES_MS = [5, 20, 100];

function actSometimes(world: World, isOver: () => boolean): void {
  const paceMs = world.random.pick(PACES_MS);
  const next = (): void => {
    if (isOver()) return;
    world.random.pick(world.buyers).act();
    // Lulls, in which holds and admissions run out.
    const pauseMs = world.random.chance(0.003) ? 4_000 : world.random.between(0, 2 * paceMs);
    world.loop.schedule(pauseMs, undefined, next, true);
  };
  world.loop.schedule(0, undefined, next, true);
}

function failureOf(world: World, error: unknown): SeedFailure {
  const invariant = error instanceof Violation ? error.invariant : 'fault';
  const message = error instanceof Error ? error.message : String(error);
  const facts =
    error instanceof Violation
      ? JSON.stringify(error.facts, (_, value: unknown) => (value instanceof Error ? value.stack : value))
      : error instanceof Error
        ? (error.stack ?? '')
        : '';
  return { invariant, message, facts: facts ?? '', step: world.loop.steps, trace: world.trace.lines() };
}

export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { circumstances = {} } = options;
  checkCircumstances(circumstances);
  const startedAtMs = realNowMs();
  const world = new World(options);
  enterSimulation(world.loop, options.seed);
  let failure: SeedFailure | undefined;
  let stop = (): void => undefined;
  try {
    stop = watchRejections(world);
    await world.open();
    const isOver = (): boolean => world.loop.steps >= options.steps || world.violation !== undefined;
    actSometimes(world, isOver);
    new FaultPlan(world.random, circumstances).start(world, isOver);
    await world.loop.run(isOver);
    if (world.violation !== undefined) throw world.violation;
    await heal(world);
    checkAtRest(world);
    await checkReplay(world);
  } catch (error) {
    failure = failureOf(world, error);
  } finally {
    stop();
    leaveSimulation();
  }
  return resultOf(options.seed, world, failure, realNowMs() - startedAtMs);
}

/** In a real process it would be its end. */
function watchRejections(world: World): () => void {
  const onRejection = (reason: unknown): void => {
    world.fail(
      new Violation('fault', 'a promise was rejected and nobody listened: the process would have ended', reason),
    );
  };
  process.on('unhandledRejection', onRejection);
  return () => process.off('unhandledRejection', onRejection);
}

function resultOf(seed: number, world: World, failure: SeedFailure | undefined, realMs: number): SeedResult {
  const orders = world.mysql.database.rows('orders');
  const charges = [...world.gateway.charges.values()];
  return {
    seed,
    steps: world.loop.steps,
    orders: world.oracle.orders.size,
    cancelled: orders.filter((row) => row.status !== 'paid').length,
    payments: charges.length,
    refunds: charges.filter(({ refunded }) => refunded).length,
    epoch: Number(world.mysql.database.rows('sales')[0]?.epoch),
    faults: Object.fromEntries(world.faults),
    hash: world.trace.hash,
    simulatedMs: world.loop.nowMs - world.startMs,
    realMs,
    failure,
  };
}
