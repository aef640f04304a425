/**
 * What operators did to sales, as it stands in `operator_actions` and, until it is there, in Redis. A record of the order log
 * becomes the same action at both places.
 */
import type {
  AdmissionChanged,
  AdmissionSettings,
  OrderLogRecord,
  PhaseChanged,
  RebuildRequested,
} from '../../order-log/records.ts';

export type OperatorRecord = PhaseChanged | AdmissionChanged | RebuildRequested;

/** The column `detail` is JSON: fields may be added, and rows of earlier releases lack what was added since. */
export interface PhaseDetail {
  readonly from: string;
  readonly to: string;
  readonly forced?: readonly string[];
}
export interface AdmissionDetail extends AdmissionSettings {
  readonly from?: AdmissionSettings;
}
export interface RebuildDetail {
  readonly epoch: number;
  readonly nextEpoch: number;
}

export interface OperatorAction {
  readonly saleId: number;
  /** Undefined: the sale's own times did it. */
  readonly operatorId: number | undefined;
  readonly action: 'phase' | 'admission' | 'rebuild';
  readonly detail: PhaseDetail | AdmissionDetail | RebuildDetail;
  /** Unix milliseconds. */
  readonly atMs: number;
}

export function isOperatorRecord(record: OrderLogRecord): record is OperatorRecord {
  return record.type === 'phaseChanged' || record.type === 'admissionChanged' || record.type === 'rebuildRequested';
}

export function operatorActionOf(record: OperatorRecord): OperatorAction {
  const { saleId, operatorId, at: atMs } = record;
  const of = { saleId, operatorId, atMs };
  switch (record.type) {
    case 'phaseChanged': {
      const { from, to, forced } = record;
      return { ...of, action: 'phase', detail: { from, to, ...(forced === undefined ? {} : { forced }) } };
    }
    case 'admissionChanged': {
      const { mode, perSecond, maxActive, from } = record;
      const detail = { mode, perSecond, maxActive, ...(from === undefined ? {} : { from }) };
      return { ...of, action: 'admission', detail };
    }
    case 'rebuildRequested': {
      const { epoch, nextEpoch } = record;
      return { ...of, action: 'rebuild', detail: { epoch, nextEpoch } };
    }
  }
}
