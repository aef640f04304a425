/**
 * A phase is changed in Redis and then written to the order log. A server that dies in between leaves a change that holds
 * for now and is forgotten with Redis: a paused sale would be open again after a rebuild. So what Redis says and MySQL does
 * not hear of for a while is written again, by whichever server notices it; applying it twice changes nothing.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { PhaseChanged } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { selectRows } from '../../platform/mysql-statements.ts';
import { Rounds } from '../../platform/rounds.ts';
import { saleKeys } from '../../redis/keys.ts';
import { parseStoredEpoch } from '../../redis/run-id.ts';
import type { LiveSale } from '../stock/live-sales.ts';

export interface PhaseReconcilerOptions {
  readonly redis: Redis;
  readonly mysql: MysqlPool;
  /** As much of `LiveSales` as is needed to compare. */
  readonly live: { readonly followed: ReadonlySet<number>; get(saleId: number): LiveSale | undefined };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly record: (record: PhaseChanged) => Promise<unknown>;
  /** True while MySQL does not have all that is in this server's log: then it may only be late. */
  readonly isBehind: () => boolean;
  readonly intervalMs?: number;
}

interface PhaseRow {
  readonly id: number;
  readonly phase: string;
  readonly phaseSeq: number;
}

export class PhaseReconciler {
  readonly #options: PhaseReconcilerOptions;
  /** Sale → what Redis said in the last round and MySQL did not know. A record under way is applied before the next one. */
  #unknown = new Map<number, string>();
  readonly #rounds: Rounds;

  constructor(options: PhaseReconcilerOptions) {
    this.#options = options;
    this.#rounds = new Rounds(() => this.compareAll(), options.intervalMs ?? LIMITS.comparePhasesMs);
  }

  start(): void {
    this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** One round over all followed sales; returns how many changes were written again. Never fails. */
  async compareAll(): Promise<number> {
    const { logger, isBehind } = this.#options;
    const before = this.#unknown;
    this.#unknown = new Map();
    if (isBehind()) return 0;
    let written = 0;
    try {
      for (const { id, phase, phaseSeq } of await this.#differing()) {
        const found = await this.#readPhase(id);
        if (found === undefined || found.phaseSeq <= phaseSeq) continue;
        if (before.get(id) !== `${found.phase} ${found.phaseSeq}`) {
          this.#unknown.set(id, `${found.phase} ${found.phaseSeq}`);
          continue;
        }
        await this.#write(id, phase, found);
        written += 1;
      }
    } catch (error) {
      logger.debug({ err: error }, 'phases were not compared with what is archived; the next round does it');
    }
    return written;
  }

  /** By what this process remembers of Redis: nothing is asked of Redis as long as nothing differs. */
  async #differing(): Promise<readonly PhaseRow[]> {
    const { mysql, live } = this.#options;
    const known = [...live.followed].filter((saleId) => live.get(saleId) !== undefined);
    if (known.length === 0) return [];
    const rows = await selectRows<PhaseRow>(
      mysql,
      'SELECT id, phase, phase_seq AS phaseSeq FROM sales WHERE id IN (?)',
      [known],
    );
    return rows.filter(({ id, phase }) => {
      const sale = live.get(id);
      return sale !== undefined && sale.snapshot.storedPhase !== phase;
    });
  }

  /** Undefined when the state is not the one this process trusts. */
  async #readPhase(saleId: number): Promise<{ readonly phase: string; readonly phaseSeq: number } | undefined> {
    const { redis, live } = this.#options;
    const [stored, phase, phaseSeq] = await redis.hmget(saleKeys.sale(saleId), 'epoch', 'phase', 'phaseSeq');
    const { epoch, run } = parseStoredEpoch(stored);
    const trusted = live.get(saleId)?.snapshot;
    if (trusted?.epoch !== epoch || trusted.run !== run || !phase) return undefined;
    return { phase, phaseSeq: Number(phaseSeq) };
  }

  async #write(
    saleId: number,
    from: string,
    { phase: to, phaseSeq }: { readonly phase: string; readonly phaseSeq: number },
  ): Promise<void> {
    const { live, clock, record, logger } = this.#options;
    const epoch = live.get(saleId)?.snapshot.epoch;
    if (epoch === undefined) return;
    await record({ type: 'phaseChanged', saleId, epoch, at: clock.nowMs(), from, to, phaseSeq });
    logger.warn({ saleId, from, to }, 'a change of phase was not in the order log; it was written again');
  }
}
