/** Pairs of blocks, A B B A …, after a warm-up that also finds out how much work makes a block. */
import { interleave } from '../measuring/pairs.ts';
import { type Arm, measureArm } from './arms.ts';
import { type Block, unitsPerSecond } from './block.ts';
import type { Hall } from './hall.ts';
import type { CoreOptions } from './options.ts';

export type PairOptions = Pick<CoreOptions, 'pairs' | 'blockMs'>;

export interface Pair {
  readonly ceiling: Block;
  readonly path: Block;
}

/** Fewer would be over before all lanes are busy. */
const UNITS_MIN = 100;

/** @returns units that take about a block's time; the code is compiled and the connections to the stores are open then */
export async function warmUp(hall: Hall, arm: Arm, { blockMs }: Pick<PairOptions, 'blockMs'>): Promise<number> {
  const unitsFor = (block: Block): number => {
    const units = Math.round((unitsPerSecond(block) * blockMs) / 1_000);
    return Math.max(UNITS_MIN, 2 * arm.lanes, Math.min(units, arm.unitsMax));
  };
  const first = unitsFor(await measureArm(hall, arm, Math.min(arm.firstUnits, arm.unitsMax)));
  const second = unitsFor(await measureArm(hall, arm, first));
  // What disturbs makes slower, never faster: the larger one is nearer to what the block will do.
  return Math.max(first, second);
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
