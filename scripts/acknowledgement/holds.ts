/** Buyers who stand before paying. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { decideRetry } from '@fest/loadtest/buyers/retry';
import type { Answer, BuyerRequest, Servers } from '@fest/loadtest/buyers/servers';
import { IDEMPOTENCY_KEY_HEADER, pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Hold, QueueTicket } from '@fest/server/contract/schemas';
import { waitUntilServed } from '../measuring/sale.ts';
import type { Stage } from '../measuring/stage.ts';
import type { PreparedHold } from './orders.ts';

/** Requests under way at once while holds are made: enough to keep the server busy, few enough to be no storm. */
const PREPARING_AT_ONCE = 48;
const REPEATS_MAX = 20;

/** Buyers who stand before paying: their accounts are written into MySQL, everything else goes through the API. */
export async function prepareHolds(
  stage: Stage,
  { saleId, count, signal }: { readonly saleId: number; readonly count: number; readonly signal: AbortSignal },
): Promise<readonly PreparedHold[]> {
  const { stack, servers } = stage;
  const { baseUrls, mysqlUrl } = stack.state;
  const { jwtSecret } = ensureSecrets(stack.paths.secrets);
  const { tokens } = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret, count, overHttp: 0 });
  const ask = (request: BuyerRequest): Promise<unknown> => askPatiently(servers, request, signal);
  const inLine = await forEachAtOnce(tokens, async (token) => {
    const path = pathOf('saleQueue', { saleId });
    const ticket = await ask({ method: 'POST', path, headers: { authorization: `Bearer ${token}` } });
    return { token, ...(ticket as QueueTicket) };
  });
  const number = inLine.reduce((last, ticket) => Math.max(last, ticket.number), 0);
  await waitUntilServed(stage, { saleId, number, signal });
  return forEachAtOnce(inLine, async ({ token, queueToken, number }) => {
    const hold = await ask({
      method: 'POST',
      path: pathOf('saleHolds', { saleId }),
      headers: {
        authorization: `Bearer ${token}`,
        [QUEUE_TOKEN_HEADER]: queueToken,
        [IDEMPOTENCY_KEY_HEADER]: `hold-${number}`,
      },
      body: { quantity: 1 },
    });
    return { token, holdId: (hold as Hold).holdId };
  });
}

async function forEachAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as Item);
  };
  await Promise.all(Array.from({ length: PREPARING_AT_ONCE }, worker));
  return results;
}

/** The body of an answer below 400; refusals that say "later" are repeated. */
async function askPatiently(servers: Servers, request: BuyerRequest, signal: AbortSignal): Promise<unknown> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    const answer = await servers.send(0, request);
    if (answer.status >= 200 && answer.status < 400) return answer.body;
    const retry = decideRetry(answer, attempt, Math.random);
    if (retry === undefined || attempt >= REPEATS_MAX) throw refused(request, answer);
    await sleep(retry.afterMs, undefined, { signal });
  }
}

function refused({ method, path }: BuyerRequest, { status, code, body }: Answer): Error {
  return new Error(`${method} ${path} was answered with ${status} ${code ?? ''}: ${JSON.stringify(body)}`);
}
