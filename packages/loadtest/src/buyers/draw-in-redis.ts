/** Places in a line for crowds that would take too long to join over HTTP: drawn by the script that a server runs for a join. */
import { createQueueTokens } from '@fest/server/features/waiting-room/queue-token';
import { joinQueue } from '@fest/server/features/waiting-room/store';
import { connectRedis } from '@fest/server/platform/redis';

/** Commands under way: as many as Redis likes. */
const AT_ONCE = 1_000;

export interface DrawInRedisOptions {
  readonly redisUrl: string;
  /** `FEST_QUEUE_TOKEN_SECRET` of the servers. */
  readonly queueTokenSecret: string;
  /** As its state document says. */
  readonly sale: { readonly saleId: number; readonly epoch: number };
  readonly accountIds: readonly number[];
  readonly signal?: AbortSignal;
  /** So many have a place. */
  readonly onProgress?: (drawn: number) => void;
}

/**
 * Queue tokens in the order of the accounts.
 * @throws {Error} when the sale takes nobody, or the signal aborts
 */
export async function drawInRedis(options: DrawInRedisOptions): Promise<readonly string[]> {
  const { accountIds, signal, onProgress } = options;
  const { saleId, epoch } = options.sale;
  const { mint } = createQueueTokens(options.queueTokenSecret);
  const request = { idempotencyKey: undefined, fingerprint: '' };
  const redis = await connectRedis(options.redisUrl);
  const join = async (accountId: number): Promise<string> => {
    const joined = await joinQueue(redis, { saleId, epoch, accountId, nowMs: Date.now(), request });
    if (joined.status !== 'joined') throw new Error(`sale ${saleId} let nobody join: ${joined.status}`);
    return mint({ saleId, accountId, number: joined.number, epoch });
  };
  const tokens: string[] = [];
  try {
    for (let from = 0; from < accountIds.length; from += AT_ONCE) {
      signal?.throwIfAborted();
      tokens.push(...(await Promise.all(accountIds.slice(from, from + AT_ONCE).map(join))));
      onProgress?.(tokens.length);
    }
    return tokens;
  } finally {
    redis.disconnect();
  }
}
