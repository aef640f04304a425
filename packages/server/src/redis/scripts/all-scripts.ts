/** Every Lua script, for whoever goes through all of them. The contract of each is the header of its file. */

import { advanceServingScript, releaseLeaseScript, tickScript } from './admission.ts';
import { auditStateScript } from './audit-state.ts';
import { releaseHoldScript, sweepHoldsScript, takeHoldScript } from './holds.ts';
import {
  beginPaymentScript,
  completePaymentScript,
  confirmPaymentScript,
  failPaymentScript,
  forgetOutcomeScript,
  returnTicketsScript,
} from './payments.ts';
import { readStateScript } from './sale-state.ts';
import {
  changePhaseScript,
  configureSaleScript,
  createSaleScript,
  restoreSaleScript,
  setAdmissionScript,
} from './sales.ts';
import { joinQueueScript, leaveQueueScript } from './waiting-room.ts';

export const ALL_SCRIPTS = [
  createSaleScript,
  restoreSaleScript,
  configureSaleScript,
  changePhaseScript,
  setAdmissionScript,
  joinQueueScript,
  leaveQueueScript,
  takeHoldScript,
  releaseHoldScript,
  sweepHoldsScript,
  beginPaymentScript,
  confirmPaymentScript,
  failPaymentScript,
  completePaymentScript,
  forgetOutcomeScript,
  returnTicketsScript,
  tickScript,
  advanceServingScript,
  releaseLeaseScript,
  readStateScript,
  auditStateScript,
] as const;
