/** What operators are told and may say. Decisions on plain data. */
import { toTimeText } from '../../contract/json-time.ts';
import { type AdmissionState, READINESS_CHECKS, type ReadinessCheckId } from '../../contract/operations.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import type { AdmissionReport } from '../waiting-room/ticker.ts';
import { outflowOf } from '../waiting-room/wait-estimate.ts';

/** Ids with commas between them, each once; undefined when one is unknown. Nothing at all: none. */
export function parseForcedChecks(
  text: string | readonly string[] | undefined,
): readonly ReadinessCheckId[] | undefined {
  if (text === undefined) return [];
  const ids = String(text)
    .split(',')
    .map((id) => id.trim());
  const known = READINESS_CHECKS.filter((id) => ids.includes(id));
  return ids.every((id) => (known as readonly string[]).includes(id)) ? known : undefined;
}

/** @param report of the leader, when this process is it */
export function admissionState(
  sale: LiveSale,
  settings: SaleRecord,
  report: AdmissionReport | undefined,
  nowMs: number,
): AdmissionState {
  const { saleId, phase, snapshot } = sale;
  const { mode, perSecond, maxActive, drawn, servingNumber, pending, inside } = snapshot;
  return {
    saleId,
    at: toTimeText(nowMs),
    phase,
    mode,
    perSecond,
    maxActive,
    ratePerSecond: snapshot.ratePerSecond,
    outflowPerSecond: outflowOf(sale, nowMs),
    showRate: report?.showRate ?? null,
    waiting: Math.max(0, drawn - servingNumber),
    active: pending + inside,
    inside,
    available: snapshot.available,
    held: snapshot.held,
    sold: snapshot.sold,
    capacity: snapshot.capacity,
    limitPerBuyer: snapshot.limitPerBuyer,
    holdSeconds: settings.holdSeconds,
    admissionSeconds: settings.admissionSeconds,
    opensAt: toTimeText(snapshot.opensAtMs),
    closesAt: toTimeText(snapshot.closesAtMs),
  };
}
