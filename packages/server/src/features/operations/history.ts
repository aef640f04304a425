/** What operators did to a sale, newest first: pages of the archive and what is not in it yet. Decisions on plain data. */
import { toTimeText } from '../../contract/json-time.ts';
import type { SaleAction } from '../../contract/operations.ts';
import type { AdmissionDetail, OperatorAction, PhaseDetail, RebuildDetail } from '../archive/operator-actions.ts';
import type { RecordedAction } from './fresh-actions.ts';

/** Keyset of a page: actions older than this one. */
export type ActionPlace = Pick<RecordedAction, 'atMs' | 'logId' | 'lsn'>;

/** One action may have been read from MySQL and from Redis. */
export function idOf({ logId, lsn }: Pick<RecordedAction, 'logId' | 'lsn'>): string {
  return `${logId}.${lsn}`;
}

/** The order of the statement that reads them. */
function isNewer(a: ActionPlace, b: ActionPlace): boolean {
  if (a.atMs !== b.atMs) return a.atMs > b.atMs;
  return a.logId === b.logId ? a.lsn > b.lsn : a.logId > b.logId;
}

export function mergeActions(
  archived: readonly RecordedAction[],
  fresh: readonly RecordedAction[],
  limit: number,
  after: ActionPlace | undefined,
): { readonly items: readonly RecordedAction[]; readonly next: ActionPlace | undefined } {
  const known = new Set(archived.map(idOf));
  const unarchived = fresh.filter(
    (action) => !known.has(idOf(action)) && (after === undefined || isNewer(after, action)),
  );
  const all = [...archived, ...unarchived].sort((a, b) => (isNewer(a, b) ? -1 : 1));
  const items = all.slice(0, limit);
  return { items, next: all.length > limit ? items.at(-1) : undefined };
}

/** @param nameOf the operator's name, as far as it is known */
export function actionDocument(action: RecordedAction, nameOf: (accountId: number) => string | undefined): SaleAction {
  const { operatorId, atMs } = action;
  return {
    id: idOf(action),
    at: toTimeText(atMs),
    operatorId: operatorId ?? null,
    operator: (operatorId === undefined ? undefined : nameOf(operatorId)) ?? null,
    action: action.action,
    ...changeOf(action),
  };
}

function changeOf({ action, detail }: OperatorAction): Pick<SaleAction, 'from' | 'to' | 'forced'> {
  if (action === 'phase') {
    const { from, to, forced } = detail as PhaseDetail;
    return { from: { phase: from }, to: { phase: to }, forced: [...(forced ?? [])] };
  }
  if (action === 'rebuild') {
    const { epoch, nextEpoch } = detail as RebuildDetail;
    return { from: { epoch }, to: { epoch: nextEpoch }, forced: [] };
  }
  const { mode, perSecond, maxActive, from } = detail as AdmissionDetail;
  return { from: from === undefined ? null : { ...from }, to: { mode, perSecond, maxActive }, forced: [] };
}

export function encodeCursor({ atMs, logId, lsn }: ActionPlace): string {
  return Buffer.from(`${atMs} ${logId} ${lsn}`).toString('base64url');
}

/** Undefined for anything `encodeCursor` did not make. */
export function decodeCursor(text: string): ActionPlace | undefined {
  const [, atMs, logId, lsn] =
    /^(\d{1,15}) ([0-9a-f]{32}) (\d{1,15})$/.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  return logId === undefined ? undefined : { atMs: Number(atMs), logId, lsn: Number(lsn) };
}
