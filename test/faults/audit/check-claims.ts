/**
 * Judges what buyers remember and what the gateway did against the orders there are. Pure.
 *
 * It is the outside view of the invariants, from sources no server writes: I1 (no ticket twice), I3 (who was told
 * `succeeded` has exactly that order), I4 (one order a payment) and I10 (money taken means an order or a refund, never
 * neither and never both).
 */
import type { Claim } from '../load/claims.ts';
import type { LedgerEntry } from './ledger.ts';
import { type OrderFacts, ticketText } from './orders.ts';

export interface ClaimsEvidence {
  readonly saleId: number;
  readonly capacity: number;
  /** Orders of the sale in the logs and in MySQL together; `cancelled` when either says so. */
  readonly orders: ReadonlyMap<string, OrderFacts>;
  readonly claims: readonly Claim[];
  /** Payments of the sale that the gateway knows. */
  readonly ledger: ReadonlyMap<string, LedgerEntry>;
  /** Whether cancellations have had the time to come to their end. */
  readonly settled: boolean;
}

export interface ClaimFinding {
  readonly check: 'told' | 'money' | 'cancellation' | 'tickets';
  readonly message: string;
}

export function checkClaims(evidence: ClaimsEvidence): readonly ClaimFinding[] {
  const byPayment = new Map([...evidence.orders.values()].map((order) => [order.paymentId, order]));
  return [
    ...evidence.claims.flatMap((claim) => checkClaim(claim, byPayment.get(claim.paymentId), evidence)),
    ...[...evidence.ledger].flatMap(([paymentId, entry]) =>
      checkMoney(paymentId, entry, byPayment.get(paymentId), evidence),
    ),
    ...[...evidence.orders.values()].flatMap((order) => checkPaidFor(order, evidence.ledger.get(order.paymentId))),
    ...checkTickets(evidence),
  ];
}

function finding(check: ClaimFinding['check'], message: string): readonly ClaimFinding[] {
  return [{ check, message }];
}

/** What one buyer was told about one payment. */
function checkClaim(claim: Claim, order: OrderFacts | undefined, evidence: ClaimsEvidence): readonly ClaimFinding[] {
  const { paymentId, told, accountId } = claim;
  switch (told) {
    case 'succeeded':
      return order === undefined
        ? finding('told', `Account ${accountId} was told that ${paymentId} succeeded, and there is no order for it.`)
        : [...checkOrderOf(claim, order), ...checkCancellation(claim, order, evidence)];
    case 'failed':
    case 'refunded':
      return order === undefined || order.cancelled
        ? []
        : finding(
            'told',
            `Account ${accountId} was told that ${paymentId} ${told}, and it has the order ${order.orderId}.`,
          );
    case 'pending':
      return [];
  }
}

/** The order is the one the buyer was told of, with the tickets that were shown. */
function checkOrderOf(claim: Claim, order: OrderFacts): readonly ClaimFinding[] {
  const { paymentId, orderId, accountId, quantity, amount, ticketNumbers } = claim;
  const differences: string[] = [];
  const compare = (what: string, told: string | number | undefined, has: string | number): void => {
    if (told !== has) differences.push(`${what} ${told} (there is ${has})`);
  };
  compare('order', orderId, order.orderId);
  compare('account', accountId, order.accountId);
  compare('tickets', quantity, order.ticketNumbers.length);
  compare('amount', amount, order.amount);
  if (ticketNumbers !== undefined)
    compare('ticket numbers', ticketText(ticketNumbers), ticketText(order.ticketNumbers));
  if (differences.length === 0) return [];
  return finding('told', `The buyer of ${paymentId} was told ${differences.join(', ')}.`);
}

function checkCancellation(claim: Claim, order: OrderFacts, { settled }: ClaimsEvidence): readonly ClaimFinding[] {
  const { orderId, cancellation } = claim;
  if (cancellation === undefined && order.cancelled)
    return finding('cancellation', `Order ${orderId} is cancelled, and its buyer did not ask for it.`);
  if (cancellation === 'promised' && !order.cancelled && settled)
    return finding('cancellation', `The buyer of ${orderId} was told that it is being cancelled, and it is not.`);
  return [];
}

/** Money taken once means an order or a refund. */
function checkMoney(
  paymentId: string,
  { captures, refunds }: LedgerEntry,
  order: OrderFacts | undefined,
  { settled }: ClaimsEvidence,
): readonly ClaimFinding[] {
  if (captures.length > 1) return finding('money', `${paymentId} was charged ${captures.length} times.`);
  const [captured] = captures;
  if (captured === undefined) return [];
  if (order === undefined) {
    return refunds > 0
      ? []
      : finding('money', `${paymentId} was charged ${captured}: there is no order and no refund.`);
  }
  if (!order.cancelled) {
    return refunds === 0 ? [] : finding('money', `${paymentId} was refunded, and its order ${order.orderId} is live.`);
  }
  // While a cancellation is under way its tickets are void and the money is on its way back.
  return refunds > 0 || !settled ? [] : finding('money', `Order ${order.orderId} is cancelled and was not refunded.`);
}

/** No order without its money. */
function checkPaidFor(order: OrderFacts, entry: LedgerEntry | undefined): readonly ClaimFinding[] {
  const { orderId, paymentId, amount } = order;
  const captured = entry?.captures[0];
  if (captured === amount) return [];
  return finding(
    'money',
    `Order ${orderId} costs ${amount}, and the gateway took ${captured ?? 'nothing'} for ${paymentId}.`,
  );
}

/** No ticket in two live orders, and none that does not exist. */
function checkTickets({ orders, capacity }: ClaimsEvidence): readonly ClaimFinding[] {
  const owners = new Map<number, string>();
  const findings: ClaimFinding[] = [];
  for (const { orderId, ticketNumbers, cancelled } of orders.values()) {
    if (cancelled) continue;
    for (const number of ticketNumbers) {
      const owner = owners.get(number);
      if (owner !== undefined)
        findings.push(...finding('tickets', `Ticket ${number} is in the live orders ${owner} and ${orderId}.`));
      if (number < 1 || number > capacity)
        findings.push(...finding('tickets', `Order ${orderId} has ticket ${number} of ${capacity}.`));
      owners.set(number, orderId);
    }
  }
  return findings;
}
