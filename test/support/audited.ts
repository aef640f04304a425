import { setTimeout as sleep } from 'node:timers/promises';
import type { SucceededPayment } from '@fest/loadtest/buyers/report';
import { auditSale, type SaleAudit } from '@fest/server/audit/audit-sale';
import { collectEvidence, type EvidenceOptions, type EvidenceSources } from '@fest/server/audit/collect-evidence';
import mysql from 'mysql2/promise';

const ARCHIVE_MS = 30_000;

/**
 * Waits until everything durable is in MySQL and everything can be compared, then checks the invariants against what
 * buyers were told.
 */
export async function audit(
  sources: EvidenceSources,
  saleId: number,
  claims: readonly SucceededPayment[],
): Promise<SaleAudit> {
  for (const deadline = Date.now() + ARCHIVE_MS; ; await sleep(500)) {
    const [evidence] = await collectEvidence({ ...sources, saleIds: [saleId], claims });
    if (evidence === undefined) throw new Error(`sale ${saleId} is not in MySQL`);
    const found = auditSale(evidence);
    if (evidence.drained && (found.findings.length > 0 || found.unproven?.length === 0)) return found;
    if (Date.now() > deadline) {
      const left = found.unproven?.map(({ reason }) => reason).join(' ');
      throw new Error(
        `the logs were not archived, and not everything compared, within ${ARCHIVE_MS / 1000} s: ${left}`,
      );
    }
  }
}

/** One look at a sale as it is now, also while it sells. */
export async function auditNow(options: EvidenceOptions, saleId: number): Promise<SaleAudit> {
  const [evidence] = await collectEvidence({ ...options, saleIds: [saleId] });
  if (evidence === undefined) throw new Error(`sale ${saleId} is not in MySQL`);
  return auditSale(evidence);
}

/** One row of numbers from MySQL. */
export async function queryRow(
  mysqlUrl: string,
  sql: string,
  parameters: readonly (string | number)[],
): Promise<Record<string, unknown>> {
  const connection = await mysql.createConnection({ uri: mysqlUrl });
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(sql, [...parameters]);
    return rows[0] ?? {};
  } finally {
    await connection.end();
  }
}
