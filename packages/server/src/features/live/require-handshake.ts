/** Refuses, in HTTP, what does not become a WebSocket. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../platform/problem.ts';
import { handshakeFault, WEB_SOCKET_VERSION } from './handshake.ts';
import type { Upgrades } from './upgrades.ts';

/** @param otherwise how else to get what the path has; ends the sentence. @throws {ProblemError} 400 or 426 */
export function requireHandshake(
  { raw, headers }: FastifyRequest,
  reply: FastifyReply,
  upgrades: Upgrades,
  otherwise = '',
): void {
  const fault = upgrades.has(raw) ? handshakeFault(headers) : 'version';
  if (fault === 'version') {
    reply.headers({ Upgrade: 'websocket', 'Sec-WebSocket-Version': WEB_SOCKET_VERSION });
    throw upgradeRequired(otherwise);
  }
  if (fault === 'key') throw badKey();
}

function upgradeRequired(otherwise: string): ProblemError {
  return new ProblemError(
    'upgrade_required',
    `Connect with a WebSocket, version ${WEB_SOCKET_VERSION}, over HTTP/1.1${otherwise}.`,
  );
}

function badKey(): ProblemError {
  const errors = [{ pointer: 'header:Sec-WebSocket-Key', detail: 'must be 16 bytes in base64' }];
  return new ProblemError('validation_failed', 'header:Sec-WebSocket-Key must be 16 bytes in base64.', { errors });
}
