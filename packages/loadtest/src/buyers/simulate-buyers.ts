import { type Behaviour, DEFAULT_BEHAVIOUR, planBuyer } from './behaviour.ts';
import { Journey, type Scene } from './journey.ts';
import { BUYER_LIMITS } from './limits.ts';
import { createRandom } from './random.ts';
import type { BuyersProgress, BuyersReport, SucceededPayment } from './report.ts';
import { SaleWatch } from './sale-watch.ts';
import { Servers } from './servers.ts';
import { Sleeper } from './sleeper.ts';
import { Solver } from './solver.ts';
import { Tally } from './tally.ts';

export interface SimulationOptions {
  /** Servers of one fleet; buyers are spread over them and go to the next one when theirs does not answer. */
  readonly baseUrls: readonly string[];
  readonly saleId: number;
  /** One access token a buyer. */
  readonly tokens: readonly string[];
  readonly behaviour?: Partial<Behaviour>;
  /** Buyers arrive spread over this time; 0, the default: all at once. */
  readonly arrival?: { readonly overMs: number };
  /** The same seed gives the same plans. */
  readonly seed?: string;
  readonly connectionsPerServer?: number;
  /** Stops all buyers; the report then says `interrupted`. */
  readonly signal?: AbortSignal;
  /** Called every `BUYER_LIMITS.progressMs`, and once at the end. */
  readonly onProgress?: (progress: BuyersProgress) => void;
  /** Called the moment a buyer is told `succeeded`. */
  readonly onSucceeded?: (payment: SucceededPayment) => void;
}

/**
 * Runs one visit per token and reports how they ended. Does not throw for anything a server answers: that is what the
 * report is for.
 */
export async function simulateBuyers(options: SimulationOptions): Promise<BuyersReport> {
  const { tokens, signal, onProgress, seed = 'fest', arrival = { overMs: 0 } } = options;
  const behaviour: Behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
  const tally = new Tally(tokens.length);
  const servers = new Servers(options.baseUrls, options.connectionsPerServer);
  const sleeper = new Sleeper();
  const solver = new Solver();
  const scene: Scene = {
    saleId: options.saleId,
    servers,
    saleWatch: new SaleWatch(servers, tally, options.saleId),
    sleeper,
    solver,
    tally,
    patienceMs: behaviour.patienceMs,
    onSucceeded: options.onSucceeded,
  };
  const stop = (): void => {
    sleeper.stop();
    void servers.close();
    void solver.close();
  };
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const following = scene.saleWatch.follow(sleeper);
  const timer = setInterval(() => onProgress?.(tally.progress()), BUYER_LIMITS.progressMs);
  try {
    const visits = tokens.map(async (token, index) => {
      const plan = planBuyer(seed, index, behaviour, arrival.overMs);
      const random = createRandom(`${seed}/${index}/waits`);
      tally.ended(await new Journey(scene, { index, token, plan, random }).run());
    });
    await Promise.all(visits);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
    stop();
    await following;
  }
  onProgress?.(tally.progress());
  return tally.report(signal?.aborted === true);
}
