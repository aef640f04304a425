/** Accounts, sessions and "me". */
import { randomInt } from 'node:crypto';
import type { onRequestHookHandler } from 'fastify';
import { Type } from 'typebox';
import { ROUTES } from '../../contract/paths.ts';
import { Account, AccountInput, Me, RefreshInput, Session, SessionInput } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import { privateAnswer } from '../../platform/cache-headers.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { untilAnswered } from '../../platform/hang-up.ts';
import type { NotHashed, PasswordHashing } from '../../platform/password-hashing.ts';
import { ProblemError } from '../../platform/problem.ts';
import { refuseBody } from '../../platform/problem-details.ts';
import type { Services } from '../../services.ts';
import type { AbuseLimits } from '../abuse-limits/abuse-limits.ts';
import { type AccountActions, createAccountActions } from './account-actions.ts';
import type { AccountMetrics } from './account-metrics.ts';

const tags = ['accounts'];
/** Any signed-in account. */
const SIGNED_IN = { roles: [] } as const;

export interface AccountRouteOptions {
  readonly services: Pick<Services, 'mysql' | 'clock' | 'accessTokens' | 'config'>;
  readonly authentication: Authentication;
  readonly passwordHashing: PasswordHashing;
  readonly limits: Pick<AbuseLimits, 'signUp' | 'logIn' | 'refresh'>;
  readonly metrics: Pick<AccountMetrics, 'counted'>;
}

/** `app` carries the API's path prefix. */
export function registerAccountRoutes(
  app: FestApp,
  { services, authentication, passwordHashing, limits, metrics }: AccountRouteOptions,
): void {
  const actions = metrics.counted(createAccountActions(services, passwordHashing));
  // A full line takes seconds, and requests under way are waited for: whoever is in it had better ask another server.
  app.addHook('preClose', () => passwordHashing.close());
  /** Before the body is read, and before MySQL is asked for anything: in a storm nearly all requests end here. */
  const refuseWhenBusy = async (): Promise<void> => {
    if (passwordHashing.refuses()) throw notHashed({ status: 'busy' });
  };
  // The line first: whoever is turned away there has not used up anything of what their address may do.
  registerSignUp(app, actions, [privateAnswer, refuseWhenBusy, limits.signUp]);
  registerSessions(app, actions, authentication, {
    onLogIn: [privateAnswer, refuseWhenBusy, limits.logIn],
    onRefresh: [privateAnswer, limits.refresh],
  });
  registerMe(app, actions, authentication);
}

/** Also for those who went away and read no answer: it is not kept under their `Idempotency-Key`. */
function notHashed({ status }: NotHashed): ProblemError {
  const detail =
    status === 'busy'
      ? 'Too many people are signing in at this moment; try again shortly.'
      : 'The client went away before its password was checked; nothing was done.';
  // They came together; they are not to come back together.
  const retryAfterMs = randomInt(LIMITS.passwordRetryMs, 2 * LIMITS.passwordRetryMs + 1);
  return new ProblemError('overloaded', detail, { retryAfterMs });
}

function registerSignUp(app: FestApp, actions: AccountActions, onRequest: readonly onRequestHookHandler[]): void {
  app.route({
    method: 'POST',
    url: ROUTES.accounts,
    config: { idempotent: true },
    schema: { tags, summary: 'Create an account', body: AccountInput, response: { 201: Account } },
    onRequest: [...onRequest],
    async handler(request, reply) {
      const result = await actions.signUp(request.body, untilAnswered(request, reply));
      if (result.status === 'busy' || result.status === 'abandoned') throw notHashed(result);
      if (result.status === 'emailTaken') {
        throw new ProblemError('email_taken', 'Sign in with this e-mail address, or use another one.');
      }
      reply.code(201);
      return result.account;
    },
  });
}

function registerSessions(
  app: FestApp,
  actions: AccountActions,
  { requireAccount }: Authentication,
  { onLogIn, onRefresh }: Readonly<Record<'onLogIn' | 'onRefresh', readonly onRequestHookHandler[]>>,
): void {
  app.route({
    method: 'POST',
    url: ROUTES.sessions,
    config: { idempotent: true },
    schema: { tags, summary: 'Sign in', body: SessionInput, response: { 201: Session } },
    onRequest: [...onLogIn],
    async handler(request, reply) {
      const result = await actions.signIn(request.body, untilAnswered(request, reply));
      if (result.status === 'busy' || result.status === 'abandoned') throw notHashed(result);
      if (result.status === 'limited') {
        const { retryAfterMs } = result;
        throw new ProblemError('rate_limited', 'Too many failed logins with this e-mail address.', { retryAfterMs });
      }
      if (result.status === 'badCredentials') {
        throw new ProblemError('bad_credentials', 'No account has this e-mail address with this password.');
      }
      reply.code(201);
      return result.session;
    },
  });

  app.route({
    method: 'POST',
    url: ROUTES.sessionsRefresh,
    schema: { tags, summary: 'Exchange a refresh token', body: RefreshInput, response: { 200: Session } },
    onRequest: [...onRefresh],
    async handler(request) {
      const result = await actions.refresh(request.body.refreshToken);
      if (result.status === 'refused') {
        throw new ProblemError('bad_refresh_token', 'Sign in again; a refresh token is good for one use.');
      }
      return result.session;
    },
  });

  app.route({
    method: 'DELETE',
    url: ROUTES.sessions,
    config: SIGNED_IN,
    schema: { tags, summary: 'Sign out', response: { 204: Type.Null() } },
    onRequest: [privateAnswer, requireAccount],
    preValidation: refuseBody,
    async handler(request, reply) {
      const { accountId, sessionId } = accountOf(request);
      await actions.signOut(accountId, sessionId);
      reply.code(204);
      return null;
    },
  });
}

function registerMe(app: FestApp, actions: AccountActions, { requireAccount }: Authentication): void {
  app.route({
    method: 'GET',
    url: ROUTES.me,
    config: SIGNED_IN,
    schema: { tags, summary: 'My account', response: { 200: Me } },
    onRequest: [privateAnswer, requireAccount],
    async handler(request) {
      const account = await actions.findAccount(accountOf(request).accountId);
      if (account?.email === undefined) throw new ProblemError('unauthenticated', 'The account was deleted.');
      return { id: account.id, email: account.email, name: account.name, roles: [...account.roles] };
    },
  });

  app.route({
    method: 'DELETE',
    url: ROUTES.me,
    config: SIGNED_IN,
    schema: { tags, summary: 'Delete my account', response: { 204: Type.Null() } },
    onRequest: [privateAnswer, requireAccount],
    preValidation: refuseBody,
    async handler(request, reply) {
      await actions.deleteAccount(accountOf(request).accountId);
      reply.code(204);
      return null;
    },
  });
}
