/** Decisions at the gate on plain data. */

/** A ticket row as it is after an attempt to check it in. */
export interface TicketRecord {
  /** False once the order was cancelled; the number may have been sold again, under another order and code. */
  readonly live: boolean;
  readonly checkedInAtMs: number | undefined;
}

export type CheckInRefusal =
  | { readonly status: 'alreadyCheckedIn'; readonly checkedInAtMs: number }
  | { readonly status: 'revoked' }
  /** The order is durable in the order log and on its way to the database: a second or so. */
  | { readonly status: 'notYetArchived' };

/** Why a genuine ticket could not be checked in just now. */
export function explainRefusal(ticket: TicketRecord | undefined): CheckInRefusal {
  if (ticket === undefined) return { status: 'notYetArchived' };
  if (!ticket.live) return { status: 'revoked' };
  if (ticket.checkedInAtMs !== undefined) return { status: 'alreadyCheckedIn', checkedInAtMs: ticket.checkedInAtMs };
  // Live and unused: the order arrived between the attempt and this look. The next attempt finds it.
  return { status: 'notYetArchived' };
}
