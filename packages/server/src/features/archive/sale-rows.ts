/** What the log says about sales: phases, admission settings, acknowledged epochs, and who changed them. */
import type { AdmissionChanged, OrderLogRecord, PhaseChanged, StoredRecord } from '../../order-log/records.ts';
import { changeRows, type MysqlSession } from '../../platform/mysql-statements.ts';
import { isOperatorRecord, type OperatorAction, operatorActionOf } from './operator-actions.ts';

function ofType<Type extends OrderLogRecord['type']>(records: readonly StoredRecord[], type: Type) {
  type Match = Extract<OrderLogRecord, { type: Type }>;
  return records.flatMap(({ lsn, record }) => (record.type === type ? [{ lsn, record: record as Match }] : []));
}

/** Operators change a sale a few times an evening, so these are a statement each. */
export async function applySaleChanges(
  connection: MysqlSession,
  logId: string,
  records: readonly StoredRecord[],
): Promise<void> {
  for (const { record } of ofType(records, 'phaseChanged')) await changePhase(connection, record);
  for (const { record } of ofType(records, 'admissionChanged')) await changeAdmission(connection, record);
  for (const { lsn, record } of records) {
    if (isOperatorRecord(record)) await recordAction(connection, { logId, lsn }, operatorActionOf(record));
  }
  await acknowledgeEpochs(
    connection,
    logId,
    ofType(records, 'epochStarted').map(({ record }) => record),
  );
}

/** A rebuild of the sale waits for these rows, from every log that is not retired. */
async function acknowledgeEpochs(
  connection: MysqlSession,
  logId: string,
  epochs: ReadonlyArray<{ readonly saleId: number; readonly epoch: number }>,
): Promise<void> {
  if (epochs.length === 0) return;
  await changeRows(
    connection,
    `INSERT INTO log_epochs (log_id, sale_id, epoch) VALUES ?
     ON DUPLICATE KEY UPDATE epoch = GREATEST(epoch, VALUES(epoch))`,
    [epochs.map(({ saleId, epoch }) => [logId, saleId, epoch])],
  );
}

async function changePhase(connection: MysqlSession, { saleId, to, phaseSeq }: PhaseChanged): Promise<void> {
  await changeRows(connection, 'UPDATE sales SET phase = ?, phase_seq = ? WHERE id = ? AND phase_seq < ?', [
    to,
    phaseSeq,
    saleId,
    phaseSeq,
  ]);
}

async function changeAdmission(connection: MysqlSession, record: AdmissionChanged): Promise<void> {
  const { saleId, mode, perSecond, maxActive, admissionSeq } = record;
  await changeRows(
    connection,
    'UPDATE sales SET admission_mode = ?, per_second = ?, max_active = ?, admission_seq = ? WHERE id = ? AND admission_seq < ?',
    [mode, perSecond, maxActive, admissionSeq, saleId, admissionSeq],
  );
}

async function recordAction(
  connection: MysqlSession,
  { logId, lsn }: { readonly logId: string; readonly lsn: number },
  { saleId, operatorId, action, detail, atMs }: OperatorAction,
): Promise<void> {
  await changeRows(
    connection,
    `INSERT INTO operator_actions (log_id, lsn, sale_id, operator_id, action, detail, at_ms) VALUES (?)
     ON DUPLICATE KEY UPDATE lsn = lsn`,
    [[logId, lsn, saleId, operatorId ?? null, action, JSON.stringify(detail), atMs]],
  );
}
