import type { IncomingHttpHeaders } from 'node:http';
import { QUEUE_TOKEN_HEADER } from '../../contract/paths.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { saleRecovering } from '../stock/require-live-sale.ts';
import type { QueueTicketClaims, QueueTokens } from './queue-token.ts';

const HEADER = QUEUE_TOKEN_HEADER.toLowerCase();

// Made once: a refusal of garbage costs no more than the check.
const MISSING = new ProblemError('bad_queue_token', `Send the header ${QUEUE_TOKEN_HEADER}; POST …/queue gives one.`);
const FOREIGN = new ProblemError('bad_queue_token', 'The queue token was not made by this service.');
const OTHER_SALE = new ProblemError('bad_queue_token', 'The queue token is for another sale.');
const OLD_EPOCH = new ProblemError(
  'admission_expired',
  'The line of this sale was restored after a fault. Join again to get a new number.',
);

/**
 * The queue token among a request's headers, checked from cheap to dear: present, length, HMAC, this sale, this epoch. A 401,
 * a 410 for a number from before the sale's state was restored, or a 503 while this server has not heard of that.
 */
export function checkQueueToken(
  headers: IncomingHttpHeaders,
  tokens: QueueTokens,
  sale: LiveSale,
): QueueTicketClaims | ProblemError {
  const token = headers[HEADER];
  if (typeof token !== 'string') return MISSING;
  const claims = tokens.verify(token);
  if (claims === undefined) return FOREIGN;
  if (claims.saleId !== sale.saleId) return OTHER_SALE;
  const { epoch } = sale.snapshot;
  // A token from the future is genuine: another server knows of a rebuild that this one has not noticed yet.
  if (claims.epoch > epoch) return saleRecovering();
  return claims.epoch < epoch ? OLD_EPOCH : claims;
}

/** As `checkQueueToken`. Throws the refusal. */
export function requireQueueToken(
  { headers }: { readonly headers: IncomingHttpHeaders },
  tokens: QueueTokens,
  sale: LiveSale,
): QueueTicketClaims {
  const claims = checkQueueToken(headers, tokens, sale);
  if (claims instanceof ProblemError) throw claims;
  return claims;
}
