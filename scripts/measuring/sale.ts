/** Sales whose line and stock limit nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '@fest/cli/api-client';
import { type AccountApi, SaleDesk } from '@fest/cli/sale-desk';
import { pathOf } from '@fest/server/contract/paths';
import type { SaleState, Session } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import type { Stage } from './stage.ts';

/** A second admits 10,000 at most; the rest is for a machine that is busy with other things. */
const ADMITTED_WITHIN_MS = 60_000;

/** The desk of a stage, with the stack's own accounts. */
export async function openDesk(
  { stack, baseUrl }: Pick<Stage, 'stack' | 'baseUrl'>,
  title: string,
  nowMs: number,
): Promise<SaleDesk> {
  const as = async (role: 'organizer' | 'operator'): Promise<AccountApi> => {
    const body = stack.state.accounts[role];
    const session = await callApi(baseUrl, { method: 'POST', path: pathOf('sessions'), body });
    const { accessToken } = session as Session;
    return (request) => callApi(baseUrl, { ...request, accessToken });
  };
  const [organizer, operator] = await Promise.all([as('organizer'), as('operator')]);
  return SaleDesk.open({ organizer, operator }, title, nowMs);
}

export interface Turn {
  readonly saleId: number;
  readonly number: number;
  readonly signal: AbortSignal;
}

/** @throws {Error} when the line does not get there in time */
export async function waitUntilServed(
  { baseUrl }: Pick<Stage, 'baseUrl'>,
  { saleId, number, signal }: Turn,
): Promise<void> {
  const path = pathOf('saleState', { saleId });
  for (const deadline = performance.now() + ADMITTED_WITHIN_MS; performance.now() < deadline; ) {
    const state = (await callApi(baseUrl, { method: 'GET', path })) as SaleState;
    if (state.servingNumber >= number) return;
    await sleep(LIMITS.tickMs, undefined, { signal });
  }
  throw new Error(`the line did not reach number ${number} within ${ADMITTED_WITHIN_MS / 1_000} s`);
}
