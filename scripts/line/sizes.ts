/** The same request in a short line and in a long one, in pairs of blocks: A B B A … */
import type { Arm } from '../core/arms.ts';
import { comparePairs, type Pair, type PairOptions } from '../core/compare.ts';
import type { Hall } from '../core/hall.ts';
import { Crowd, FRONT } from './crowd.ts';
import type { LineOptions } from './options.ts';

/** In each pair `ceiling` is the short line and `path` the long one; in equal blocks both are the long one. */
export interface SizePairs {
  readonly equalPolls: readonly Pair[];
  readonly polls: readonly Pair[];
  readonly equalJoins: readonly Pair[];
  readonly joins: readonly Pair[];
}

/** A number is answered so many questions at once; one less than the limit, which has its own test. */
const QUESTIONS_AT_ONCE = 9;
/** Of a line that is a few seconds old nobody behind these is admitted. */
const SHORT_FRONT = 50;
/** What a block of joins may be at most, so that the short line stays short beside the long one. */
const JOINS_MAX = 8_000;
const FIRST_UNITS = 2_000;

export async function compareSizes(hall: Hall, long: Crowd, options: LineOptions): Promise<SizePairs> {
  const paired: PairOptions = options;
  const { say } = hall;
  const [pollLong, joinLong] = [pollsOf(hall, long, options), joinsOf(long, options)];
  say(`Polls of a line of ${long.drawn}, against themselves and against polls of lines of ${options.few}.`);
  const equalPolls = await comparePairs(hall, { ceiling: pollLong, path: pollLong }, paired);
  const polls = await comparePairs(hall, { ceiling: pollsOfShort(hall, options), path: pollLong }, paired);
  say('Joins, likewise.');
  const equalJoins = await comparePairs(hall, { ceiling: joinLong, path: joinLong }, paired);
  const joins = await comparePairs(hall, { ceiling: joinsOfShort(hall, options), path: joinLong }, paired);
  return { equalPolls, polls, equalJoins, joins };
}

/**
 * Each block asks about people of whom the block before did not. A short line is made before it as well, and not asked about:
 * what the server has just done, and the garbage of it, is then the same in both.
 */
function pollsOf(hall: Hall, crowd: Crowd, options: LineOptions): Arm {
  let next = FRONT;
  return {
    ...pollArm('poll in the long line', options),
    async prepare(units) {
      const short = await shortLine(hall, options);
      if (next + units > crowd.drawn) next = FRONT;
      const queueTokens = crowd.places.slice(next, next + units);
      next += units;
      const job = { kind: 'pollInTurn', saleId: crowd.saleId, queueTokens, units } as const;
      return { job, tidy: () => short.close() };
    },
  };
}

function pollsOfShort(hall: Hall, options: LineOptions): Arm {
  return {
    ...pollArm('poll in a short line', options),
    async prepare(units) {
      const short = await shortLine(hall, options);
      const queueTokens = short.places.slice(SHORT_FRONT);
      const job = { kind: 'pollInTurn', saleId: short.saleId, queueTokens, units } as const;
      return { job, tidy: () => short.close() };
    },
  };
}

function pollArm(name: string, { few, connections }: LineOptions): Omit<Arm, 'prepare'> {
  return {
    name,
    measured: 'server',
    lanes: connections,
    firstUnits: FIRST_UNITS,
    unitsMax: few * QUESTIONS_AT_ONCE,
  };
}

async function shortLine(hall: Hall, options: LineOptions): Promise<Crowd> {
  const crowd = await Crowd.gather(hall, options);
  await crowd.drawUntil(options.few + SHORT_FRONT);
  return crowd;
}

/** The long line grows by each block. */
function joinsOf(crowd: Crowd, { connections }: LineOptions): Arm {
  return {
    name: 'join the long line',
    measured: 'server',
    lanes: connections,
    firstUnits: FIRST_UNITS,
    unitsMax: JOINS_MAX,
    async prepare(units) {
      const tokens = crowd.nextTokens(units);
      crowd.skip(units);
      return { job: { kind: 'join', saleId: crowd.saleId, tokens }, tidy: async () => undefined };
    },
  };
}

function joinsOfShort(hall: Hall, options: LineOptions): Arm {
  return {
    name: 'join a short line',
    measured: 'server',
    lanes: options.connections,
    firstUnits: FIRST_UNITS,
    unitsMax: JOINS_MAX,
    async prepare(units) {
      const crowd = await Crowd.gather(hall, options);
      await crowd.drawUntil(options.few);
      const tokens = crowd.nextTokens(units);
      return { job: { kind: 'join', saleId: crowd.saleId, tokens }, tidy: () => crowd.close() };
    },
  };
}
