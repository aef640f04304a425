/** What an audit reads of a sale's stock. */
import { defineScript, unexpectedReply } from '../define-script.ts';
import { parseStoredEpoch } from '../run-id.ts';

/** Ticket numbers from `first` to `last`, both included. */
export interface TicketRange {
  readonly first: number;
  readonly last: number;
}

/** The stock of a sale at one moment. Numbers that Redis has not, or not as numbers, are NaN: that is for an audit to find. */
export interface AuditedStock {
  readonly status: 'state';
  readonly epoch: number;
  /** The Redis process that this state was made in. */
  readonly run: string;
  readonly version: number;
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly nextFresh: number;
  /** The last number drawn by a confirmation: orders with a higher one were confirmed after this moment. */
  readonly confirmSeq: number;
  /** Released numbers, also those outside the slice. */
  readonly releasedCount: number;
  readonly liveHolds: number;
  /** Last ticket number of this slice; undefined: it reaches the end. */
  readonly through: number | undefined;
  /** Of the slice, ascending. */
  readonly released: readonly TicketRange[];
  /** Of all live holds; undefined: there are more than were asked for. */
  readonly holdIds: readonly string[] | undefined;
}

const AUDITED_FIELDS = 14;

function countOf(value: number | string | undefined): number {
  return value === '' || value === undefined ? Number.NaN : Number(value);
}

function decodeRanges(value: number | string | undefined): readonly TicketRange[] {
  const text = String(value ?? '');
  if (text === '') return [];
  return text.split(',').map((range) => {
    const [first, last = first] = range.split('-');
    return { first: Number(first), last: Number(last) };
  });
}

export const auditStateScript = defineScript({
  name: 'audit-state',
  keys: ['sale', 'released', 'expiry', 'paying'],
  args: ['fromNumber', 'releasedAtMost', 'holdsAtMost'],
  decode(reply): AuditedStock | { readonly status: 'missing' } {
    if (reply[0] === 'missing') return { status: 'missing' };
    if (reply[0] !== 'state' && reply[0] !== 'crowded') return unexpectedReply('audit-state', reply);
    const through = countOf(reply[12]);
    return {
      status: 'state',
      ...parseStoredEpoch(String(reply[1])),
      version: countOf(reply[2]),
      capacity: countOf(reply[3]),
      limitPerBuyer: countOf(reply[4]),
      available: countOf(reply[5]),
      held: countOf(reply[6]),
      sold: countOf(reply[7]),
      nextFresh: countOf(reply[8]),
      confirmSeq: countOf(reply[9]),
      releasedCount: countOf(reply[10]),
      liveHolds: countOf(reply[11]),
      through: through === 0 ? undefined : through,
      released: decodeRanges(reply[13]),
      holdIds: reply[0] === 'crowded' ? undefined : reply.slice(AUDITED_FIELDS).map(String),
    };
  },
});
