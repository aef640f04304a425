/** A sale as its plans are made from. */
import type { AdmissionState } from '@fest/server/contract/operations';

/** 6,000 wait for 1,000 tickets at 50 a second; those inside stay for 4 s. */
export function admissionState(overrides: Partial<AdmissionState> = {}): AdmissionState {
  return {
    saleId: 7,
    at: '2026-07-01T12:00:00.000Z',
    phase: 'open',
    mode: 'fixed',
    perSecond: 50,
    maxActive: 1_000,
    ratePerSecond: 50,
    outflowPerSecond: 50,
    showRate: 0.8,
    waiting: 6_000,
    active: 200,
    inside: 150,
    available: 1_000,
    held: 150,
    sold: 850,
    capacity: 2_000,
    limitPerBuyer: 4,
    holdSeconds: 300,
    admissionSeconds: 100,
    opensAt: '2026-07-01T11:00:00.000Z',
    closesAt: '2026-07-01T15:00:00.000Z',
    ...overrides,
  };
}
