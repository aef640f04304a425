import type { Output } from '../context.ts';

/** The names and versions of the documents `--json` writes. A change that breaks a reader gets the next number. */
export type DocumentSchema =
  | 'fest.attendees-export/1'
  | 'fest.audit/1'
  | 'fest.bench/1'
  | 'fest.bench-compare/1'
  | 'fest.bench-list/1'
  | 'fest.bench-prepared/1'
  | 'fest.bench-rehearsal/1'
  | 'fest.check-in/1'
  | 'fest.config/1'
  | 'fest.demo-report/1'
  | 'fest.doctor/1'
  | 'fest.exit-codes/1'
  | 'fest.log-failed/1'
  | 'fest.log-list/1'
  | 'fest.log-replay/1'
  | 'fest.log-retire/1'
  | 'fest.log-retry/1'
  | 'fest.log-verify/1'
  | 'fest.login/1'
  | 'fest.orders-export/1'
  | 'fest.sale/1'
  | 'fest.sale-history/1'
  | 'fest.sale-list/1'
  | 'fest.sale-plan/1'
  | 'fest.sale-rate/1'
  | 'fest.sale-readiness/1'
  | 'fest.sale-rebuild/1'
  | 'fest.sale-report-files/1'
  | 'fest.sale-undo/1'
  | 'fest.seed/1'
  | 'fest.up/1'
  | 'fest.watch/1';

/** Those of which an answer has one a line. */
export type LineSchema = 'fest.attendee/1' | 'fest.check-in-scan/1' | 'fest.check-in-summary/1' | 'fest.order/1';

/** Writes an answer for programs: one JSON document, its schema first. */
export function writeDocument(output: Output, schema: DocumentSchema, body: object): void {
  output.write(`${JSON.stringify({ schema, ...body }, undefined, 2)}\n`);
}

/** The same on one line, where there is one document after the other. */
export function writeDocumentLine(output: Output, schema: DocumentSchema, body: object): void {
  output.write(`${JSON.stringify({ schema, ...body })}\n`);
}
