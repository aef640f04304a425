/** How long an order takes to be acknowledged at a constant rate, beside a raw write and fdatasync on the same disk (C3). */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { payAtConstantRate } from '../acknowledgement/orders.ts';
import { interleave } from '../measuring/pairs.ts';
import type { Phase } from '../measuring/statistics.ts';
import { AnswerFault, holdingBuyers } from './arms.ts';
import { GATEWAY_MS, type Hall, setStage, waitUntilSettled } from './hall.ts';
import type { CoreOptions } from './options.ts';

export interface AcknowledgementPair {
  /** What each write with its fdatasync took, milliseconds. */
  readonly ceiling: Phase;
  /** From when an order was due until its buyer was told that it is durable, less the gateway's time, milliseconds. */
  readonly path: Phase;
  /** How late orders were sent: of that the generator is guilty. */
  readonly lateMs: Phase;
}

/** Quantiles need more than a block; fewer orders would have no p99.9 at all. */
const PHASE_BLOCKS = 2;
const LEAD_IN_ORDERS = 20;

export async function measureAcknowledgement(
  hall: Hall,
  options: CoreOptions,
): Promise<readonly AcknowledgementPair[]> {
  const { pairs, ordersPerSecond } = options;
  const phaseMs = PHASE_BLOCKS * options.blockMs;
  const perPhase = LEAD_IN_ORDERS + Math.ceil((phaseMs / 1_000) * ordersPerSecond);
  const sale = await holdingBuyers(hall, Math.min(hall.tokens.length, pairs * perPhase));
  const measured: Array<{ ceiling: Phase; path: Phase; lateMs: Phase }> = Array.from({ length: pairs }, () => ({
    ceiling: [],
    path: [],
    lateMs: [],
  }));
  let from = 0;
  for (const { arm, pair } of interleave(pairs, ['ceiling', 'path'] as const)) {
    const result = measured[pair];
    if (result === undefined) continue;
    if (arm === 'ceiling') {
      await waitUntilSettled(hall);
      result.ceiling = await runRawLoop(hall, phaseMs);
      continue;
    }
    setStage(hall, 'server');
    const holds = sale.buyers.slice(from, from + perPhase);
    from += perPhase;
    const { stage, signal } = hall;
    const orders = await payAtConstantRate({
      servers: stage.servers,
      holds,
      perSecond: ordersPerSecond,
      gatewayMs: GATEWAY_MS,
      signal,
    });
    const counted = orders.slice(LEAD_IN_ORDERS);
    result.lateMs = counted.map(({ sentAt, dueAt }) => sentAt - dueAt);
    result.path = counted.map((order) => {
      if (!('acknowledgedAt' in order)) throw new AnswerFault(`an order was not acknowledged: ${order.reason}`);
      return order.acknowledgedAt - order.dueAt - GATEWAY_MS;
    });
  }
  await waitUntilSettled(hall);
  await sale.close();
  return measured;
}

async function runRawLoop({ stage, pinning, signal }: Hall, ms: number): Promise<Phase> {
  const [directory = ''] = stage.stack.state.logDirs;
  const node = [process.execPath, fileURLToPath(new URL('./log-ceiling-process.ts', import.meta.url)), directory];
  const command = [...(pinning === undefined ? [] : ['taskset', '-c', String(pinning.server)]), ...node, String(ms)];
  const [program = '', ...args] = command;
  const { stdout } = await promisify(execFile)(program, args, { signal, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout);
}

/** Buyers it needs. */
export const acknowledgementBuyers = ({ pairs, blockMs, ordersPerSecond }: CoreOptions): number =>
  pairs * (LEAD_IN_ORDERS + Math.ceil(((PHASE_BLOCKS * blockMs) / 1_000) * ordersPerSecond));
