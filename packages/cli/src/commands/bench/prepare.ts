/** What a load test needs before it begins: accounts, tokens, sales of its own, and the files that a k6 script reads. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BENCH_PLAN_FORMAT, type BenchPlan } from '@fest/loadtest/bench/plan';
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import type { SignedUp } from '@fest/loadtest/buyers/sign-up';
import { pathOf } from '@fest/server/contract/paths';
import type { FestivalPage } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import type { Context } from '../../context.ts';
import { InterruptedError } from '../../errors.ts';
import { writePrivateFile } from '../../private-files.ts';
import { createFestival, type DeskAccounts, type DeskAdmission, SaleDesk } from '../../sale-desk.ts';
import { type MadeAccounts, makeAccounts } from './accounts.ts';
import { refusesPayments } from './gateway.ts';
import type { Leaving } from './leaving.ts';
import type { BenchRequest } from './options.ts';
import { sessionApi } from './sessions.ts';
import type { BenchStage } from './stage.ts';
import type { BenchStatus } from './status.ts';
import { drawPlaces } from './waiters.ts';

export interface Prepared {
  readonly plan: BenchPlan;
  /** Private, and removed afterwards: the tokens are in here. */
  readonly folder: string;
  readonly accounts: DeskAccounts;
  readonly saleIds: readonly number[];
  /** Nobody sells any more; never throws. */
  closeSales(): Promise<void>;
  remove(): void;
}

export interface PrepareOptions {
  readonly context: Context;
  readonly stage: BenchStage;
  readonly request: BenchRequest;
  readonly resolved: ResolvedLoad;
  /** Of the run. */
  readonly id: string;
  readonly status: BenchStatus;
  readonly signal: AbortSignal;
  /** Undefined: they are made. */
  readonly accounts?: MadeAccounts;
  /** Told what a second Ctrl-C must not leave behind. */
  readonly beforeLeaving?: Leaving['before'];
}

/** A list of festivals is read and one of them looked at: one alone would be no list. */
const FESTIVALS = 10;
/** For tokens of one sale in another, and for those who have a number and no admission: it admits nobody. */
const OTHER_SALE = { capacity: 1_000, admission: { mode: 'fixed', perSecond: 0, maxActive: 1_000 } } as const;

/** @throws {InterruptedError} when it was told to stop */
export async function prepareBench(options: PrepareOptions): Promise<Prepared> {
  const { stage, status } = options;
  const folder = mkdtempSync(join(tmpdir(), 'fest-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const [baseUrl = ''] = stage.figureUrls;
  const accounts: DeskAccounts = {
    organizer: sessionApi(baseUrl, stage.organizer),
    operator: sessionApi(baseUrl, stage.operator),
  };
  const opened: number[] = [];
  const closeSales = async (): Promise<void> => {
    const closing = opened.splice(0).map((saleId) => {
      const path = pathOf('saleClose', { saleId });
      return accounts.operator({ method: 'POST', path });
    });
    // One that is over already is as good.
    await Promise.allSettled(closing);
  };
  options.beforeLeaving?.({ ask: closeSales, remove });
  try {
    const plan = await makePlan(options, { folder, accounts, opened });
    status.begin('preparing', 'Everything is ready.');
    return { plan, folder, accounts, saleIds: [plan.saleId, plan.otherSaleId], closeSales, remove };
  } catch (error) {
    await closeSales();
    remove();
    throw options.signal.aborted
      ? new InterruptedError('Interrupted before the load began; nothing was measured')
      : error;
  }
}

/** How buyers are let in, in the end. */
export function admissionOf({ admission }: BenchRequest, { sale }: ResolvedLoad): DeskAdmission {
  return { ...sale.admission, ...admission };
}

interface Place {
  readonly folder: string;
  readonly accounts: DeskAccounts;
  /** Sales, to be closed in the end. */
  readonly opened: number[];
}

async function makePlan(options: PrepareOptions, { folder, accounts, opened }: Place): Promise<BenchPlan> {
  const { context, stage, request, resolved, id, status, signal } = options;
  const { buyers, credentials } = options.accounts ?? (await makeAccounts({ stage, resolved, status, signal }));
  signal.throwIfAborted();
  status.begin('preparing', 'Opening the sales.');
  await ensureFestivals(accounts, context.now());
  signal.throwIfAborted();
  const { sale } = resolved;
  const desk = await SaleDesk.open(accounts, `Load test ${id}`, context.now());
  const saleId = await desk.openSale({
    name: 'Load test',
    nowMs: context.now(),
    capacity: sale.capacity,
    limitPerBuyer: sale.limitPerBuyer,
    holdSeconds: sale.holdSeconds,
    admissionSeconds: sale.admissionSeconds,
    admission: admissionOf(request, resolved),
  });
  opened.push(saleId);
  signal.throwIfAborted();
  const otherSaleId = await desk.openSale({ name: 'Load test, other sale', nowMs: context.now(), ...OTHER_SALE });
  opened.push(otherSaleId);
  signal.throwIfAborted();
  const queueTokens = await drawPlaces({
    stage,
    saleId,
    buyers: buyers.slice(0, resolved.waitersBeforehand),
    status,
    signal,
  });
  const operatorToken = await stage.operator.findAccessToken();
  // From here on k6 would be started only to be ended.
  signal.throwIfAborted();
  const file = (name: string, content: unknown): string => {
    writePrivateFile(join(folder, name), JSON.stringify(content));
    return name;
  };
  return {
    format: BENCH_PLAN_FORMAT,
    scenario: request.scenario,
    profile: request.profile,
    baseUrls: stage.baseUrls,
    festivalId: desk.festivalId,
    saleId,
    otherSaleId,
    capacity: sale.capacity,
    limitPerBuyer: sale.limitPerBuyer,
    load: resolved.load,
    behaviour: resolved.behaviour,
    seed: request.seed,
    files: {
      buyers: file(
        'buyers.json',
        buyers.map(({ token }) => token),
      ),
      ...(queueTokens.length === 0 ? {} : { queueTokens: file('queue-tokens.json', queueTokens) }),
      ...(credentials.length === 0 ? {} : { credentials: file('credentials.json', credentials) }),
    },
    ...expiredToken(options, buyers[0]),
    ...(stage.gateway === null ? {} : { gatewayRefuses: refusesPayments(stage.gateway) }),
    operatorToken,
    thresholdFactor: request.thresholdFactor,
  };
}

/** One that was good: only with the key of the servers can it be made at once. */
function expiredToken(
  { context, stage, request }: PrepareOptions,
  buyer: SignedUp | undefined,
): Pick<BenchPlan, 'expiredToken'> {
  if (request.scenario !== 'abuse' || stage.stores === undefined || buyer === undefined) return {};
  const thenMs = context.now() - 2 * LIMITS.accessTokenTtlSeconds * 1_000;
  const { sign } = createAccessTokens(stage.stores.jwtSecret, { nowMs: () => thenMs });
  return {
    expiredToken: sign({
      accountId: buyer.accountId,
      roles: ['buyer'],
      sessionId: randomBytes(16).toString('base64url'),
    }),
  };
}

async function ensureFestivals({ organizer }: DeskAccounts, nowMs: number): Promise<void> {
  const page = await organizer({ method: 'GET', path: `${pathOf('festivals')}?limit=${FESTIVALS}` });
  for (let number = (page as FestivalPage).items.length + 1; number < FESTIVALS; number += 1) {
    await createFestival(organizer, `Load test ${number}`, nowMs);
  }
}
