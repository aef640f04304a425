/** W5: whole purchases one after the other, without a pause for thought, on the whole machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerFault } from './arms.ts';
import { type Block, runBlock } from './block.ts';
import { edgesOf } from './edges.ts';
import { FUNNEL_WINDOWS, funnelBuyersNeeded, WARM_UP_SALES } from './funnel-size.ts';
import { type Hall, waitUntilSettled } from './hall.ts';
import type { CoreOptions } from './options.ts';

export interface Funnel {
  /** One for each sale, the first one left out. */
  readonly windows: readonly Block[];
}

const QUIET_MS = 500;

/** @throws {AnswerFault} when a purchase did not end with an order */
export async function measureFunnel(hall: Hall, options: CoreOptions): Promise<Funnel> {
  hall.unpin();
  const windows: Block[] = [];
  for (let sale = 0; sale < WARM_UP_SALES + FUNNEL_WINDOWS; sale += 1) {
    const window = await sellOut(hall, options);
    if (sale >= WARM_UP_SALES) windows.push(window);
  }
  return { windows };
}

async function sellOut(hall: Hall, options: CoreOptions): Promise<Block> {
  const { desk, tokens, signal } = hall;
  const units = funnelBuyersNeeded(options);
  const saleId = await desk.openSale({ capacity: units, nowMs: Date.now() });
  const { captured: _, ...block } = await runBlock(
    { ...hall, pinning: undefined },
    {
      measured: 'server',
      job: { kind: 'purchase', saleId, tokens: tokens.slice(0, units) },
      lanes: options.funnelBuyers,
      edges: edgesOf(options.funnelBuyers),
    },
  );
  if (block.faults.length > 0) throw new AnswerFault(`funnel: ${block.faults.join('; ')}`);
  await waitUntilSettled(hall);
  await desk.closeSale(saleId);
  await sleep(QUIET_MS, undefined, { signal });
  return block;
}
