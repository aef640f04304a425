/** W5: whole purchases one after the other, without a pause for thought, on the whole machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerFault } from './arms.ts';
import { type RanBlock, runBlock } from './block.ts';
import type { Hall } from './hall.ts';
import { waitUntilSettled } from './hall.ts';
import type { CoreOptions } from './options.ts';

export interface Funnel {
  readonly purchases: number;
  readonly purchasesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  /** Processors' worth by process; `server` is the measured one. */
  readonly shares: RanBlock['shares'];
  readonly others: number | undefined;
  readonly stolen: number | undefined;
  readonly answers: RanBlock['answers'];
}

/** Purchases before the measured ones: code is compiled, connections are opened. */
const WARM_UP_SHARE = 0.15;
const QUIET_MS = 500;
/** With fewer, most of what is counted was begun before it is measured. */
const PURCHASES_PER_BUYER_MIN = 5;

/** @throws {AnswerFault} when a purchase did not end with an order */
export async function measureFunnel(hall: Hall, { purchases, funnelBuyers }: CoreOptions): Promise<Funnel> {
  const { desk, tokens } = hall;
  hall.unpin();
  const warmUp = Math.ceil(purchases * WARM_UP_SHARE);
  const buy = async (count: number): Promise<RanBlock> => {
    const saleId = await desk.openSale({ capacity: count, nowMs: Date.now() });
    const block = await runBlock(
      { ...hall, pinning: undefined },
      {
        measured: 'server',
        job: { kind: 'purchase', saleId, tokens: tokens.slice(0, count) },
        units: count,
        lanes: Math.min(funnelBuyers, Math.ceil(count / PURCHASES_PER_BUYER_MIN)),
      },
    );
    if (block.faults.length > 0) throw new AnswerFault(`funnel: ${block.faults.join('; ')}`);
    await waitUntilSettled(hall);
    await desk.closeSale(saleId);
    await sleep(QUIET_MS, undefined, { signal: hall.signal });
    return block;
  };
  await buy(warmUp);
  const { units, requests, seconds, shares, others, stolen, answers } = await buy(purchases);
  return {
    purchases: units,
    purchasesPerSecond: units / seconds,
    requestsPerSecond: requests / seconds,
    seconds,
    shares,
    others,
    stolen,
    answers,
  };
}
