/** People who have drawn a number before the load begins. */
import { drawInRedis } from '@fest/loadtest/buyers/draw-in-redis';
import { joinOverHttp } from '@fest/loadtest/buyers/join-over-http';
import type { SignedUp } from '@fest/loadtest/buyers/sign-up';
import { pathOf } from '@fest/server/contract/paths';
import type { SaleState } from '@fest/server/contract/schemas';
import { callApi } from '../../api-client.ts';
import type { BenchStage } from './stage.ts';
import type { BenchStatus } from './status.ts';

/** Larger crowds take longer to join over HTTP than anybody likes to wait, and cost the server what is measured later. */
const OVER_HTTP_MAX = 20_000;

export interface PlacesOptions {
  readonly stage: Pick<BenchStage, 'baseUrls' | 'stores'>;
  readonly saleId: number;
  readonly buyers: readonly SignedUp[];
  readonly status: Pick<BenchStatus, 'begin' | 'count'>;
  readonly signal: AbortSignal;
}

/** Queue tokens in the order of the buyers. */
export async function drawPlaces({ stage, saleId, buyers, status, signal }: PlacesOptions): Promise<readonly string[]> {
  if (buyers.length === 0) return [];
  const total = buyers.length.toLocaleString('en-US');
  const onProgress = (drawn: number): void =>
    status.count(`Drawing queue numbers: ${drawn.toLocaleString('en-US')} of ${total}.`);
  status.begin('preparing', `Drawing ${total} queue numbers.`);
  const { baseUrls, stores } = stage;
  const local = stores?.local;
  if (local === undefined || buyers.length <= OVER_HTTP_MAX) {
    return joinOverHttp({ baseUrls, saleId, tokens: buyers.map(({ token }) => token), signal, onProgress });
  }
  const [baseUrl = ''] = baseUrls;
  const state = await callApi(baseUrl, { method: 'GET', path: pathOf('saleState', { saleId }) });
  const { redisUrl, queueTokenSecret } = local;
  return drawInRedis({
    redisUrl,
    queueTokenSecret,
    sale: { saleId, epoch: (state as SaleState).epoch },
    accountIds: buyers.map(({ accountId }) => accountId),
    signal,
    onProgress,
  });
}
