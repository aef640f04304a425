/**
 * Do the times, the deadlines and the admission of a sale fit each other? Pure: `failed` is what cannot work, `warning` what an
 * operator may want so and should have meant.
 */
import type { AdmissionMode } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import { duration, type Finding, notOk, ok } from './finding.ts';

export interface SaleSettings {
  readonly saleId: number;
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly refundUntilMs: number;
  readonly holdSeconds: number;
  readonly admissionSeconds: number;
}

export interface AdmissionChoice {
  readonly mode: AdmissionMode;
  readonly perSecond: number;
  readonly maxActive: number;
}

export interface Lifetimes {
  /** After this the outcome of a payment counts as unknown and is looked up. */
  readonly gatewayTimeoutMs: number;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
}

const PATCH = 'the organizer corrects it with PATCH /sales/{id}';

export function lintTimes(sale: SaleSettings, nowMs: number): Finding {
  const { opensAtMs, closesAtMs, refundUntilMs } = sale;
  const failed = (found: string, remedy: string) => notOk('times', 'failed', found, remedy);
  const warning = (found: string, remedy: string) => notOk('times', 'warning', found, remedy);
  if (closesAtMs <= opensAtMs) return failed('the sale closes before it opens', `Set closesAt later: ${PATCH}.`);
  if (nowMs >= closesAtMs) {
    return failed(
      'the closing time has passed, and a closed sale stays closed',
      'Make a new sale with a later closesAt.',
    );
  }
  const openSeconds = (closesAtMs - Math.max(nowMs, opensAtMs)) / 1000;
  const purchaseSeconds = sale.admissionSeconds + sale.holdSeconds;
  if (openSeconds < purchaseSeconds) {
    const found = `it closes ${duration(openSeconds)} after its opening, and one purchase may take ${duration(purchaseSeconds)}`;
    return warning(found, `Set closesAt later: ${PATCH}.`);
  }
  if (refundUntilMs < closesAtMs) {
    const found = `orders can be given back until ${duration((closesAtMs - refundUntilMs) / 1000)} before the closing only: who buys later cannot`;
    return warning(found, `If that is not meant, set refundUntil to closesAt or later: ${PATCH}.`);
  }
  return ok('times', `open for ${duration(openSeconds)}, and orders can be given back until after the closing`);
}

export function lintDeadlines(
  { holdSeconds, admissionSeconds }: SaleSettings,
  { gatewayTimeoutMs }: Lifetimes,
): Finding {
  const gatewaySeconds = gatewayTimeoutMs / 1000;
  if (holdSeconds < gatewaySeconds) {
    const found = `a hold lasts ${holdSeconds} s, and the gateway may take ${gatewaySeconds} s for one payment: who is declined has no second try`;
    return notOk(
      'deadlines',
      'failed',
      found,
      `Set holdSeconds to ${Math.ceil(2 * gatewaySeconds)} or more: ${PATCH}.`,
    );
  }
  if (admissionSeconds < LIMITS.admissionSecondsComfortable) {
    const found = `who is admitted has ${admissionSeconds} s to notice it and to choose tickets`;
    const remedy = `If that is not meant, set admissionSeconds to ${LIMITS.admissionSecondsComfortable} or more: ${PATCH}.`;
    return notOk('deadlines', 'warning', found, remedy);
  }
  return ok(
    'deadlines',
    `${admissionSeconds} s to make a hold, ${holdSeconds} s to pay it; the gateway answers within ${gatewaySeconds} s`,
  );
}

export function lintSessions({ holdSeconds, admissionSeconds }: SaleSettings, lifetimes: Lifetimes): Finding {
  const { accessTokenSeconds, refreshTokenSeconds } = lifetimes;
  const purchaseSeconds = admissionSeconds + holdSeconds;
  const found = `one purchase may take ${duration(purchaseSeconds)}`;
  if (purchaseSeconds > refreshTokenSeconds) {
    const ends = `${found}, and a session ends after ${duration(refreshTokenSeconds)}`;
    return notOk('sessions', 'failed', ends, `Shorten admissionSeconds and holdSeconds: ${PATCH}.`);
  }
  if (purchaseSeconds > accessTokenSeconds) {
    const ends = `${found}, and an access token is good for ${duration(accessTokenSeconds)}: clients have to renew it on the way`;
    return notOk(
      'sessions',
      'warning',
      ends,
      `Make sure that they do, or shorten admissionSeconds and holdSeconds: ${PATCH}.`,
    );
  }
  return ok('sessions', `${found}, and an access token is good for ${duration(accessTokenSeconds)}`);
}

/** Whether the rate and the places can sell the sale in its time. */
export function lintAdmission(sale: SaleSettings, admission: AdmissionChoice, nowMs: number): Finding {
  const { saleId, capacity, limitPerBuyer, holdSeconds, admissionSeconds } = sale;
  const { mode, perSecond, maxActive } = admission;
  const openSeconds = (sale.closesAtMs - Math.max(nowMs, sale.opensAtMs)) / 1000;
  const rate = `fest sale rate ${saleId}`;
  const finding = (status: 'failed' | 'warning', found: string, remedy: string) =>
    notOk('admission', status, found, remedy);
  if (openSeconds <= 0) {
    return notOk('admission', 'unknown', 'there is no time left to sell in', 'Mend what the check `times` says.');
  }
  if (perSecond === 0)
    return finding('failed', 'nobody is admitted: perSecond is 0', `${rate} --per-second ${LIMITS.perSecondDefault}`);
  const quickestSeconds = capacity / limitPerBuyer / perSecond;
  if (quickestSeconds > openSeconds) {
    const found = `at ${perSecond} a second ${capacity} tickets take ${duration(quickestSeconds)} at least, and the sale is open for ${duration(openSeconds)}`;
    return finding(
      'failed',
      found,
      `${rate} --per-second ${Math.ceil(capacity / limitPerBuyer / Math.max(1, openSeconds))}, or more`,
    );
  }
  if (maxActive > capacity) {
    const found = `${maxActive} buyers may be inside at once, and there are ${capacity} tickets: the last of them find all tickets held`;
    return finding('warning', found, `If that is not meant: ${rate} --max-active ${capacity}`);
  }
  const slowestSeconds = (capacity * (admissionSeconds + holdSeconds)) / maxActive;
  if (slowestSeconds > openSeconds) {
    const found = `with ${maxActive} places, and buyers who take all the time they have, ${capacity} tickets take ${duration(slowestSeconds)}; the sale is open for ${duration(openSeconds)}`;
    return finding(
      'warning',
      found,
      `${rate} --max-active ${Math.ceil((capacity * (admissionSeconds + holdSeconds)) / Math.max(1, openSeconds))}, or more`,
    );
  }
  const upTo = mode === 'auto' ? 'up to ' : '';
  return ok('admission', `${mode}: ${upTo}${perSecond} a second, ${maxActive} places`);
}
