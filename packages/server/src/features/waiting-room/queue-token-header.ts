import type { FastifyRequest } from 'fastify';
import { QUEUE_TOKEN_HEADER } from '../../contract/paths.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { saleRecovering } from '../stock/require-live-sale.ts';
import type { QueueTicketClaims, QueueTokens } from './queue-token.ts';

const HEADER = QUEUE_TOKEN_HEADER.toLowerCase();

/**
 * The queue token of a request, checked from cheap to dear: present, length, HMAC, this sale, this epoch. Throws 401, or 410
 * for a number from before the sale's state was restored.
 */
export function requireQueueToken(request: FastifyRequest, tokens: QueueTokens, sale: LiveSale): QueueTicketClaims {
  const token = request.headers[HEADER];
  if (typeof token !== 'string') {
    throw new ProblemError('bad_queue_token', `Send the header ${QUEUE_TOKEN_HEADER}; POST …/queue gives one.`);
  }
  const claims = tokens.verify(token);
  if (claims === undefined) throw new ProblemError('bad_queue_token', 'The queue token was not made by this service.');
  if (claims.saleId !== sale.saleId) throw new ProblemError('bad_queue_token', 'The queue token is for another sale.');
  // A token from the future is genuine: another server knows of a rebuild that this one has not noticed yet.
  if (claims.epoch > sale.snapshot.epoch) throw saleRecovering();
  if (claims.epoch < sale.snapshot.epoch) {
    throw new ProblemError(
      'admission_expired',
      'The line of this sale was restored after a fault. Join again to get a new number.',
    );
  }
  return claims;
}
