/** WebSocket `/operations/live`: how the whole fleet is, once a second, for operators. */
import { OperationsLive } from '../../../contract/operations.ts';
import { ROUTES } from '../../../contract/paths.ts';
import { LIMITS } from '../../../limits.ts';
import { expiryOf } from '../../../platform/access-tokens.ts';
import { type Authentication, bearerTokenOf } from '../../../platform/authentication.ts';
import type { FestApp } from '../../../platform/fest-app.ts';
import { ProblemError } from '../../../platform/problem.ts';
import { messagesOf } from '../../live/messages.ts';
import { requireHandshake } from '../../live/require-handshake.ts';
import type { Upgrades } from '../../live/upgrades.ts';
import type { OperatorSockets } from './operator-sockets.ts';

export interface OperationsLiveDependencies {
  readonly authentication: Authentication;
  readonly operators: OperatorSockets;
  readonly upgrades: Upgrades;
}

const DESCRIPTION =
  'A WebSocket (RFC 6455, version 13); the access token is in the header `Authorization` of the handshake. Each text message ' +
  'is one document about all processes and all sales, one at once and one a second. Clients send nothing but pongs and pings. ' +
  'When the token expires the connection ends with 4401.';

export function registerOperationsLiveRoutes(
  app: FestApp,
  { authentication, operators, upgrades }: OperationsLiveDependencies,
): void {
  app.addHook('preClose', () => operators.stop());

  app.get(
    ROUTES.operationsLive,
    {
      schema: {
        tags: ['operations'],
        summary: 'How all servers and sales are, once a second, over a WebSocket',
        description: DESCRIPTION,
        response: { 101: messagesOf(OperationsLive) },
      },
      config: { roles: ['operator'] },
      onRequest: authentication.requireRole('operator'),
    },
    async (request, reply) => {
      requireHandshake(request, reply, upgrades);
      const refusal = refusalOf(operators);
      if (refusal !== undefined) throw refusal;
      const expiresAtMs = expiryOf(bearerTokenOf(request.headers.authorization) ?? '');
      reply.hijack();
      const socket = upgrades.take(request.raw);
      if (socket !== undefined) operators.enter(socket, expiresAtMs);
      return reply;
    },
  );
}

function refusalOf({ vacancy }: OperatorSockets): ProblemError | undefined {
  switch (vacancy) {
    case 'free':
      return undefined;
    case 'full':
      return new ProblemError(
        'overloaded',
        `This process tells ${LIMITS.operatorSockets} operators already. Close a window, or connect to another server.`,
        { retryAfterMs: LIMITS.operatorFullRetryMs },
      );
    case 'stopping':
      return new ProblemError('overloaded', 'This server is stopping; connect again and another one answers.', {
        retryAfterMs: 1_000,
      });
  }
}
