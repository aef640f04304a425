import { pathOf } from '@fest/server/contract/paths';
import type { Festival, FestivalPage, FestivalWithSales, Sale } from '@fest/server/contract/schemas';
import { callApi } from '../../api-client.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

/** Pages of 100 festivals: more than this in one list is a mistake of the server's, not a list for a terminal. */
const PAGES_MAX = 100;
/** Festivals whose sales are asked for at the same time. */
const PARALLEL_REQUESTS = 8;

/** A sale id from the command line. */
export function parseSaleId(text: string): number {
  const id = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id;
  throw new FixableError({
    what: `“${text}” is not a sale id`,
    why: 'ids are whole numbers from 1 on',
    fix: '`fest sale list` shows them.',
    exitCode: EXIT.usage,
  });
}

export async function getSale(baseUrl: string, saleId: number): Promise<Sale> {
  // The server serializes by the contract's schema, so the answer has its form.
  return (await callApi(baseUrl, { method: 'GET', path: pathOf('sale', { saleId }) })) as Sale;
}

/** All festivals with their sales, in the server's order. */
export async function listFestivals(baseUrl: string): Promise<readonly FestivalWithSales[]> {
  const festivals: Festival[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = new URLSearchParams({ limit: '100', ...(cursor === null ? {} : { cursor }) });
    const body = await callApi(baseUrl, { method: 'GET', path: `${pathOf('festivals')}?${query}` });
    const { items, nextCursor } = body as FestivalPage;
    festivals.push(...items);
    cursor = nextCursor;
    if (cursor === null) break;
  }
  const result: FestivalWithSales[] = [];
  for (let start = 0; start < festivals.length; start += PARALLEL_REQUESTS) {
    const batch = festivals.slice(start, start + PARALLEL_REQUESTS);
    const answers = batch.map(({ id }) =>
      callApi(baseUrl, { method: 'GET', path: pathOf('festival', { festivalId: id }) }),
    );
    result.push(...((await Promise.all(answers)) as FestivalWithSales[]));
  }
  return result;
}
