/** Pairs of blocks, A B B A …, after a warm-up that also finds out how much work makes a block. */
import { interleave } from '../measuring/pairs.ts';
import { AnswerFault, type Arm, measureArm } from './arms.ts';
import { type Block, unitsPerSecond } from './block.ts';
import { edgesOf } from './edges.ts';
import type { Hall } from './hall.ts';
import type { CoreOptions } from './options.ts';

export type PairOptions = Pick<CoreOptions, 'pairs' | 'blockMs'>;

export interface Pair {
  readonly ceiling: Block;
  readonly path: Block;
}

/** Fewer units in a window are hardly a rate. */
const UNITS_MIN = 100;

/** @returns units in the window that take about a block's time; the code is compiled and the connections to the stores are open then */
export async function warmUp(hall: Hall, arm: Arm, { blockMs }: Pick<PairOptions, 'blockMs'>): Promise<number> {
  const unitsFor = (block: Block): number => windowUnits(arm, (unitsPerSecond(block) * blockMs) / 1_000);
  const first = unitsFor(await measureArm(hall, arm, windowUnits(arm, arm.firstUnits)));
  const second = unitsFor(await measureArm(hall, arm, first));
  // What disturbs makes slower, never faster: the larger one is nearer to what the block will do.
  return Math.max(first, second);
}

/**
 * As many as wanted, or as can be prepared with what belongs around the window.
 * @throws {AnswerFault} when so few can be prepared that lanes would make the window
 */
export function windowUnits(
  { name, lanes, unitsMax }: Pick<Arm, 'name' | 'lanes' | 'unitsMax'>,
  wanted: number,
): number {
  const { leadIn, leadOut } = edgesOf(lanes);
  const most = unitsMax - leadIn - leadOut;
  const least = Math.max(UNITS_MIN, 2 * lanes);
  if (most < least) {
    throw new AnswerFault(`${name}: ${unitsMax} units are too few for ${lanes} lanes; longer blocks prepare more.`);
  }
  return Math.max(least, Math.min(Math.round(wanted), most));
}

/** Two arms side by side; `left` may be the same as `right`, then the result says what the machine does by itself. */
export async function comparePairs(
  hall: Hall,
  { ceiling, path }: { readonly ceiling: Arm; readonly path: Arm },
  options: PairOptions,
): Promise<readonly Pair[]> {
  const units = { ceiling: await warmUp(hall, ceiling, options), path: 0 };
  units.path = path === ceiling ? units.ceiling : await warmUp(hall, path, options);
  const pairs: Array<{ ceiling?: Block; path?: Block }> = Array.from({ length: options.pairs }, () => ({}));
  for (const { arm, pair } of interleave(options.pairs, ['ceiling', 'path'] as const)) {
    const { captured: _, ...block } = await measureArm(hall, arm === 'ceiling' ? ceiling : path, units[arm]);
    const blocks = pairs[pair];
    if (blocks !== undefined) blocks[arm] = block;
  }
  return pairs.filter((pair): pair is Pair => pair.ceiling !== undefined && pair.path !== undefined);
}
