/** The course of the measurement: a line grows, and at each of its sizes it is read what it takes and costs. */

import { type AuditVerdict, auditAll } from '../core/audit.ts';
import { unitsPerSecond } from '../core/block.ts';
import { type Hall, openHall } from '../core/hall.ts';
import type { Pinning } from '../core/processors.ts';
import type { Machine } from '../measuring/machine.ts';
import type { StageContext } from '../measuring/stage.ts';
import { medianOf } from '../measuring/statistics.ts';
import { Crowd, FRONT, type Stretch } from './crowd.ts';
import { type LineMemory, readMemory } from './memory.ts';
import { LINE, type LineOptions } from './options.ts';
import { compareSizes, type SizePairs } from './sizes.ts';
import { letAsk, type Waiting } from './waiting.ts';

export interface LineMeasurement {
  readonly options: LineOptions;
  readonly machine: Machine;
  readonly pinning: Pinning | undefined;
  readonly leftOut: readonly string[];
  /** Of one minute, before and after: what else ran on the machine is in every figure. */
  readonly load: readonly [number, number];
  /** Of the same line while it grew; the first one is empty. */
  readonly memory: readonly LineMemory[];
  /** A line in which one of ten accounts is, one with as few in each hash. */
  readonly sparse: LineMemory;
  readonly stretches: readonly Stretch[];
  readonly sizes: SizePairs;
  /** People who ask as told, at two lengths of the line. */
  readonly waiting: readonly Waiting[];
  readonly audit: AuditVerdict;
}

/** One account of so many joins; and how many of them. */
const SPARSE_STEP = 10;
const SPARSE_JOINS = 20_000;
/** Of the polls a server answers at most, so many are asked of it by those who ask as told. */
const SHARE_OF_CAPACITY = 0.6;

export async function measure(
  options: LineOptions,
  context: StageContext,
  loadOf: () => number,
): Promise<LineMeasurement> {
  const loadBefore = loadOf();
  const hall = await openHall({ purpose: LINE.command, directory: options.directory, buyers: 0 }, context);
  try {
    for (const line of hall.leftOut) context.say(line);
    await warmUp(hall, options);
    const sparse = await measureSparse(hall, options);
    const crowd = await Crowd.gather(hall, options);
    const memory = [await readMemory(hall, crowd, options)];
    const grow = async (drawn: number): Promise<void> => {
      context.say(`Drawing numbers, from ${crowd.drawn} to ${drawn}.`);
      await crowd.drawUntil(Math.min(drawn, options.overHttp));
      await crowd.drawInRedis(drawn);
      memory.push(await readMemory(hall, crowd, options));
    };
    await grow(options.few);
    await grow(options.polling + FRONT);
    context.say(`${options.polling} people ask as told.`);
    const waiting = [await letAsk(hall, crowd, { people: options.polling, seconds: options.seconds })];
    if (options.waiters > crowd.drawn) await grow(options.waiters);
    const sizes = await compareSizes(hall, crowd, options);
    const people = peopleFor(sizes, waiting[0]?.toldMs ?? 0, crowd.drawn - FRONT);
    context.say(`${people} of ${crowd.drawn} people ask as told.`);
    waiting.push(await letAsk(hall, crowd, { people, seconds: options.seconds }));
    hall.unpin();
    const { machine, pinning, leftOut } = hall;
    return {
      options,
      machine,
      pinning,
      leftOut,
      load: [loadBefore, loadOf()],
      memory,
      sparse,
      stretches: crowd.stretches,
      sizes,
      waiting,
      audit: await auditAll(hall),
    };
  } finally {
    await hall.close();
  }
}

async function warmUp(hall: Hall, options: LineOptions): Promise<void> {
  hall.say(`Warming up: ${options.warmUp} join a line that is thrown away.`);
  const crowd = await Crowd.gather(hall, options);
  // Compiled code, pools, and a full cache of verified access tokens.
  await crowd.drawUntil(options.warmUp);
  await crowd.close();
}

async function measureSparse(hall: Hall, options: LineOptions): Promise<LineMemory> {
  const crowd = await Crowd.gather(hall, { ...options, accountStep: SPARSE_STEP });
  await crowd.drawUntil(Math.min(SPARSE_JOINS, options.waiters));
  const memory = await readMemory(hall, crowd, options);
  await crowd.close();
  return memory;
}

/** As many as keep a server busy, and leave it some air. */
function peopleFor({ polls }: SizePairs, toldMs: number, most: number): number {
  const perSecond = medianOf(polls.map(({ path }) => unitsPerSecond(path)));
  return Math.max(1, Math.min(most, Math.floor((SHARE_OF_CAPACITY * perSecond * toldMs) / 1_000)));
}
