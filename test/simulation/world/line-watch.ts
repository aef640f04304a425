/** The line must not stand still: as long as there are tickets, slots and a server that can admit, somebody is admitted. */
import { saleKeys } from '@fest/server/redis/keys';
import { Violation } from './oracle.ts';
import { SALE_ID } from './sale.ts';
import type { Life } from './server.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 200;
/** A lease, a few ticks and retries over a bad network: several times of what it should take at worst. */
const STANDS_AT_MOST_MS = 10_000;

export class LineWatch {
  readonly #world: World;
  readonly #ableSinceMs = new Map<Life, number>();
  #nextLookMs = 0;
  #serving = '';
  #movedAtMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Cheap: looks only now and then. @throws {Violation} `liveness` */
  look(): void {
    const { loop } = this.#world;
    if (loop.nowMs < this.#nextLookMs) return;
    this.#nextLookMs = loop.nowMs + LOOK_EVERY_MS;
    const serving = this.#servingWhileItShouldMove();
    if (serving === undefined || serving !== this.#serving) {
      this.#serving = serving ?? '';
      this.#movedAtMs = loop.nowMs;
    }
    const ableForMs = this.#ableForMs();
    if (loop.nowMs - this.#movedAtMs > STANDS_AT_MOST_MS && ableForMs > STANDS_AT_MOST_MS) {
      const sale = this.#world.redis.server.db.hash(saleKeys.sale(SALE_ID));
      throw new Violation('liveness', 'people wait, there are tickets and slots, and nobody is admitted', {
        standsForMs: loop.nowMs - this.#movedAtMs,
        ableForMs,
        sale: Object.fromEntries(sale ?? []),
      });
    }
  }

  /** Epoch and serving number; undefined when nobody has to be admitted. */
  #servingWhileItShouldMove(): string | undefined {
    const { redis } = this.#world;
    const sale = redis.server.db.hash(saleKeys.sale(SALE_ID));
    const epoch = sale?.get('epoch') ?? '';
    if (sale === undefined || !redis.isUp || redis.hangs) return undefined;
    if (!epoch.endsWith(`:${redis.server.runId.slice(0, 8)}`) || sale.get('phase') !== 'open') return undefined;
    const number = (field: string): number => Number(sale.get(field));
    const isWaiting = number('drawn') > number('serving');
    const hasTickets = number('available') > number('pending');
    const hasSlots = number('pending') + number('inside') < number('maxActive');
    return isWaiting && hasTickets && hasSlots ? `${epoch} ${number('serving')}` : undefined;
  }

  /** For how long some server has been able to admit people without a break. */
  #ableForMs(): number {
    const { loop, servers } = this.#world;
    const able = servers.flatMap(({ life, isListening }) => {
      if (life?.core === undefined || !isListening || life.process.paused) return [];
      const { core, process } = life;
      return loop.as(process, () => core.live.get(SALE_ID)) === undefined ? [] : [life];
    });
    for (const life of this.#ableSinceMs.keys()) if (!able.includes(life)) this.#ableSinceMs.delete(life);
    for (const life of able) if (!this.#ableSinceMs.has(life)) this.#ableSinceMs.set(life, loop.nowMs);
    return Math.max(0, ...[...this.#ableSinceMs.values()].map((sinceMs) => loop.nowMs - sinceMs));
  }
}
