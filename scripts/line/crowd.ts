/** A sale with a line that hardly moves, and the people in it: they joined over HTTP, one after the other. */
import { randomBytes } from 'node:crypto';
import { callApi } from '@fest/cli/api-client';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { drawInRedis } from '@fest/loadtest/buyers/draw-in-redis';
import { pathOf } from '@fest/server/contract/paths';
import type { SaleState } from '@fest/server/contract/schemas';
import { createQueueTokens } from '@fest/server/features/waiting-room/queue-token';
import { LIMITS } from '@fest/server/limits';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import { AnswerFault } from '../core/arms.ts';
import { type RanBlock, runBlock } from '../core/block.ts';
import { edgesWithin } from '../core/edges.ts';
import type { Hall } from '../core/hall.ts';

/** As slowly as a line can move: who waits goes on waiting. One a second for the length of a run. */
const SLOWLY = 1;
/** So many at the front are not asked about: their turn may come while a run lasts, longer than any. */
export const FRONT = 2_000;
/** No account of the stack's own is that high. No rows are needed: a server joins by the access token alone. */
const FIRST_ACCOUNT = 10_000;
/** Joins of one block; their access tokens go to the generator at once. */
const CHUNK = 25_000;

/** What a stretch of joins cost. */
export interface Stretch {
  /** Numbers drawn before it. */
  readonly from: number;
  readonly block: RanBlock;
}

export class Crowd {
  readonly saleId: number;
  readonly epoch: number;
  /** Queue tokens as the server gave them: the one of number n is at n − 1. */
  readonly places: string[] = [];
  readonly stretches: Stretch[] = [];
  readonly #hall: Hall;
  readonly #secrets: { readonly jwtSecret: string; readonly queueTokenSecret: string };
  readonly #connections: number;
  readonly #accountStep: number;
  /** Accounts that have joined where their places were not looked at. */
  #skipped = 0;

  private constructor(hall: Hall, saleId: number, epoch: number, how: CrowdOptions) {
    this.#hall = hall;
    this.saleId = saleId;
    this.epoch = epoch;
    this.#connections = how.connections;
    this.#accountStep = how.accountStep ?? 1;
    this.#secrets = ensureSecrets(hall.stage.stack.paths.secrets);
  }

  static async gather(hall: Hall, options: CrowdOptions): Promise<Crowd> {
    const { desk, stage } = hall;
    const saleId = await desk.openSale({
      capacity: LIMITS.capacityTickets,
      nowMs: Date.now(),
      admissionSeconds: options.admissionSeconds,
    });
    await desk.setRate(saleId, SLOWLY);
    const path = pathOf('saleState', { saleId });
    const { epoch } = (await callApi(stage.baseUrl, { method: 'GET', path })) as SaleState;
    return new Crowd(hall, saleId, epoch, options);
  }

  get drawn(): number {
    return this.places.length;
  }

  /** The account of whoever comes after so many others. */
  accountOf(index: number): number {
    return FIRST_ACCOUNT + index * this.#accountStep;
  }

  /** So many more have joined elsewhere: their accounts come no second time, and nobody asks about their places. */
  skip(count: number): void {
    this.#skipped += count;
  }

  /** Access tokens of those who come next; each is new to the server. */
  nextTokens(count: number): readonly string[] {
    const { sign } = createAccessTokens(this.#secrets.jwtSecret);
    return Array.from({ length: count }, (_, index) =>
      sign({
        accountId: this.accountOf(this.drawn + this.#skipped + index),
        roles: ['buyer'],
        sessionId: randomBytes(16).toString('base64url'),
      }),
    );
  }

  /** @throws {AnswerFault} when a join is answered otherwise than with a number */
  async drawUntil(count: number): Promise<void> {
    while (this.drawn < count) {
      const from = this.drawn;
      const tokens = this.nextTokens(Math.min(CHUNK, count - from));
      const block = await runBlock(this.#hall, {
        measured: 'server',
        job: { kind: 'join', saleId: this.saleId, tokens },
        lanes: this.#connections,
        edges: edgesWithin(tokens.length, this.#connections),
      });
      if (block.faults.length > 0) throw new AnswerFault(`while numbers were drawn: ${block.faults.join('; ')}`);
      this.note(block.captured);
      this.stretches.push({ from, block: { ...block, captured: [] } });
    }
  }

  /** The same script that a server runs for a join. */
  async drawInRedis(count: number): Promise<void> {
    const { stage, signal } = this.#hall;
    const { saleId, epoch } = this;
    while (this.drawn < count) {
      const accountIds = Array.from({ length: Math.min(CHUNK, count - this.drawn) }, (_, index) =>
        this.accountOf(this.drawn + index),
      );
      this.note(
        await drawInRedis({
          redisUrl: stage.stack.state.redisUrl,
          queueTokenSecret: this.#secrets.queueTokenSecret,
          sale: { saleId, epoch },
          accountIds,
          signal,
        }),
      );
    }
  }

  /**
   * Notes queue tokens of people who have just joined, by their numbers.
   * @throws {AnswerFault} when a number was drawn twice or left out
   */
  note(tokens: readonly string[]): void {
    const { verify } = createQueueTokens(this.#secrets.queueTokenSecret);
    const from = this.drawn;
    for (const token of tokens) {
      const claims = verify(token);
      const index = (claims?.number ?? 0) - 1;
      const isNext = index >= from && index < from + tokens.length;
      if (claims?.saleId !== this.saleId || !isNext || this.places[index] !== undefined) {
        throw new AnswerFault(`number ${claims?.number} was drawn out of order or twice, after ${from}`);
      }
      this.places[index] = token;
    }
  }

  async close(): Promise<void> {
    await this.#hall.desk.closeSale(this.saleId);
  }
}

export interface CrowdOptions {
  readonly connections: number;
  /** Of the sale. */
  readonly admissionSeconds: number;
  /** 10: of ten accounts one comes. */
  readonly accountStep?: number;
}
