/** Places in a line for a crowd, drawn as buyers draw them: one request each. */
import { pathOf } from '@fest/server/contract/paths';
import type { QueueTicket } from '@fest/server/contract/schemas';
import { inParallel } from './in-parallel.ts';
import { Servers } from './servers.ts';
import { ask, refused } from './sign-up.ts';

/** One keep-alive connection each: enough to keep a server busy, and not to overload it. */
const AT_ONCE = 128;

export interface JoinOverHttpOptions {
  readonly baseUrls: readonly string[];
  readonly saleId: number;
  /** Access tokens of those who join. */
  readonly tokens: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (joined: number) => void;
}

/** Queue tokens in the order of the access tokens. @throws {Error} when a join is refused for good */
export async function joinOverHttp(options: JoinOverHttpOptions): Promise<readonly string[]> {
  const servers = new Servers(options.baseUrls, AT_ONCE);
  const path = pathOf('saleQueue', { saleId: options.saleId });
  try {
    return await inParallel(
      options.tokens,
      AT_ONCE,
      async (token, index) => {
        const answer = await ask(servers, index, {
          method: 'POST',
          path,
          headers: { authorization: `Bearer ${token}` },
        });
        if (answer.status !== 200) throw refused('joining', `${index + 1}`, answer);
        return (answer.body as QueueTicket).queueToken;
      },
      options,
    );
  } finally {
    await servers.close();
  }
}
