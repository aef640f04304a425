import type { Table } from '../support/table.ts';
import { auditStateTable } from './audits.ts';
import { releaseHoldTable, sweepHoldsTable, takeHoldTable } from './holds.ts';
import {
  beginPaymentTable,
  completePaymentTable,
  confirmPaymentTable,
  failPaymentTable,
  forgetOutcomeTable,
  returnTicketsTable,
} from './payments.ts';
import {
  changePhaseTable,
  configureSaleTable,
  createSaleTable,
  readStateTable,
  restoreSaleTable,
  setAdmissionTable,
} from './sales.ts';
import { advanceServingTable, joinQueueTable, leaveQueueTable, releaseLeaseTable, tickTable } from './waiting-room.ts';

/** One table a script. */
export const ALL_TABLES: readonly Table[] = [
  createSaleTable,
  restoreSaleTable,
  configureSaleTable,
  changePhaseTable,
  setAdmissionTable,
  readStateTable,
  joinQueueTable,
  leaveQueueTable,
  tickTable,
  advanceServingTable,
  releaseLeaseTable,
  takeHoldTable,
  releaseHoldTable,
  sweepHoldsTable,
  beginPaymentTable,
  confirmPaymentTable,
  failPaymentTable,
  completePaymentTable,
  forgetOutcomeTable,
  returnTicketsTable,
  auditStateTable,
];
