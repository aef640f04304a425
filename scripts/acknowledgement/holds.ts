/** A sale whose line and stock limit nothing, and buyers of it who stand before paying. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '@fest/cli/api-client';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { decideRetry } from '@fest/loadtest/buyers/retry';
import type { Answer, BuyerRequest, Servers } from '@fest/loadtest/buyers/servers';
import { IDEMPOTENCY_KEY_HEADER, pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Festival, Hold, QueueTicket, Sale, SaleState, Session } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import type { PreparedHold } from './orders.ts';
import type { Stage } from './stage.ts';

/** Requests under way at once while holds are made: enough to keep the server busy, few enough to be no storm. */
const PREPARING_AT_ONCE = 48;
/** A second admits 10,000 at most; the rest is for a machine that is busy with other things. */
const ADMITTED_WITHIN_MS = 60_000;
const REPEATS_MAX = 20;
const DAY_MS = 86_400_000;

/** Makes an open sale with room for `orders` orders at once; its id. */
export async function openSale(
  { stack, baseUrl }: Pick<Stage, 'stack' | 'baseUrl'>,
  orders: number,
  nowMs: number,
): Promise<number> {
  const as = async (role: 'organizer' | 'operator'): Promise<string> => {
    const session = await callApi(baseUrl, {
      method: 'POST',
      path: pathOf('sessions'),
      body: stack.state.accounts[role],
    });
    return (session as Session).accessToken;
  };
  const [organizer, operator] = await Promise.all([as('organizer'), as('operator')]);
  const day = (days: number): string => new Date(nowMs + days * DAY_MS).toISOString();
  const festival = (await callApi(baseUrl, {
    method: 'POST',
    path: pathOf('festivals'),
    accessToken: organizer,
    body: { title: 'Acknowledgement', description: '', venue: 'Here', startsAt: day(60), endsAt: day(62) },
  })) as Festival;
  const sale = (await callApi(baseUrl, {
    method: 'POST',
    path: pathOf('festivalSales', { festivalId: festival.id }),
    accessToken: organizer,
    body: {
      name: 'All of it',
      price: 5_000,
      currency: 'EUR',
      capacity: orders,
      limitPerBuyer: 1,
      opensAt: day(1),
      closesAt: day(30),
      refundUntil: day(20),
      holdSeconds: LIMITS.holdSecondsMax,
      admissionSeconds: LIMITS.admissionSecondsMax,
    },
  })) as Sale;
  await callApi(baseUrl, {
    method: 'PUT',
    path: pathOf('saleAdmission', { saleId: sale.id }),
    accessToken: operator,
    body: { mode: 'fixed', perSecond: LIMITS.perSecondMax, maxActive: LIMITS.maxActiveMax },
  });
  await callApi(baseUrl, { method: 'POST', path: pathOf('saleOpen', { saleId: sale.id }), accessToken: operator });
  return sale.id;
}

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
  await waitUntilServed(
    stage,
    saleId,
    inLine.reduce((last, { number }) => Math.max(last, number), 0),
    signal,
  );
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

async function waitUntilServed({ baseUrl }: Stage, saleId: number, number: number, signal: AbortSignal): Promise<void> {
  const path = pathOf('saleState', { saleId });
  for (const deadline = performance.now() + ADMITTED_WITHIN_MS; performance.now() < deadline; ) {
    const state = (await callApi(baseUrl, { method: 'GET', path })) as SaleState;
    if (state.servingNumber >= number) return;
    await sleep(LIMITS.tickMs, undefined, { signal });
  }
  throw new Error(`the line did not reach number ${number} within ${ADMITTED_WITHIN_MS / 1_000} s`);
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
