import { randomUUID } from 'node:crypto';
import { ensureBootstrapAccounts } from '@fest/server/features/accounts/bootstrap-accounts';
import { purgeSessions } from '@fest/server/features/accounts/store';
import { LIMITS } from '@fest/server/limits';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { createPasswordHashing } from '@fest/server/platform/password-hashing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;
const PASSWORD = 'correct horse battery';
const newEmail = () => `${randomUUID()}@example.org`;

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
}

async function call({ method, path, body, token }: Call) {
  const answer = await fest.app.inject({
    method,
    url: `/api/v1${path}`,
    ...(body === undefined ? {} : { payload: body as object }),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? undefined : answer.json() };
}

async function signUp(email = newEmail()) {
  const answer = await call({ method: 'POST', path: '/accounts', body: { email, password: PASSWORD, name: 'Ada' } });
  expect(answer.status).toBe(201);
  return { id: answer.body.id as number, email };
}

const signIn = (email: string, password = PASSWORD) =>
  call({ method: 'POST', path: '/sessions', body: { email, password } });
const refresh = (refreshToken: string) => call({ method: 'POST', path: '/sessions/refresh', body: { refreshToken } });

integration('accounts and sessions', () => {
  beforeAll(async () => {
    fest = await buildTestApp();
  });
  afterAll(async () => {
    await fest.close();
  });

  describe('accounts', () => {
    test('a new account is a buyer, its e-mail address is answered in its stored spelling, and the password never', async () => {
      const email = `Ada.${randomUUID()}@Example.ORG`;
      const created = await call({
        method: 'POST',
        path: '/accounts',
        body: { email, password: PASSWORD, name: 'Ada' },
      });
      expect(created.status).toBe(201);
      expect(created.body).toEqual({ id: expect.any(Number), email: email.toLowerCase(), name: 'Ada' });
      expect(created.headers['cache-control']).toBe('no-store');
      const session = await signIn(email);
      const me = await call({ method: 'GET', path: '/me', token: session.body.accessToken });
      expect(me.body).toEqual({ ...created.body, roles: ['buyer'] });
      expect(me.headers['cache-control']).toBe('no-store');
      const [row] = await selectRows<{ password_hash: string }>(
        fest.services.mysql,
        'SELECT password_hash FROM accounts WHERE id = ?',
        [created.body.id],
      );
      expect(row?.password_hash).toMatch(/^\$scrypt\$ln=\d+,r=8,p=1\$/);
    });

    test('one mailbox cannot be taken twice, not by another case either', async () => {
      const { email } = await signUp();
      const again = await call({
        method: 'POST',
        path: '/accounts',
        body: { email: email.toUpperCase(), password: PASSWORD, name: 'Eve' },
      });
      expect(again.status).toBe(409);
      expect(again.body.code).toBe('email_taken');
    });

    test('of several sign-ups with one address at once exactly one succeeds', async () => {
      const body = { email: newEmail(), password: PASSWORD, name: 'Ada' };
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => call({ method: 'POST', path: '/accounts', body })));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    });

    test('a deleted account keeps its row without the person, and its address can be taken anew', async () => {
      const { id, email } = await signUp();
      const session = (await signIn(email)).body;
      const deleted = await call({ method: 'DELETE', path: '/me', token: session.accessToken });
      expect(deleted.status).toBe(204);
      expect((await call({ method: 'DELETE', path: '/me', token: session.accessToken })).status).toBe(204);
      const me = await call({ method: 'GET', path: '/me', token: session.accessToken });
      expect([me.status, me.body.code]).toEqual([401, 'unauthenticated']);
      expect((await refresh(session.refreshToken)).body.code).toBe('bad_refresh_token');
      expect((await signIn(email)).body.code).toBe('bad_credentials');
      const [row] = await selectRows(
        fest.services.mysql,
        'SELECT email, password_hash, name FROM accounts WHERE id = ?',
        [id],
      );
      expect(row).toEqual({ email: null, password_hash: null, name: 'Deleted account' });
      expect((await signUp(email)).id).not.toBe(id);
    });

    test('a statement that fails does not carry its values into the log', async () => {
      const failing = changeRows(fest.services.mysql, 'UPDATE accounts SET no_such_column = ?', ['$scrypt$secret']);
      const error = await failing.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ER_BAD_FIELD_ERROR', sql: 'UPDATE accounts SET no_such_column = ?' });
      expect(JSON.stringify(error)).not.toContain('secret');
    });

    test('the first accounts are created once, by servers that start at the same time too', async () => {
      const { mysql, clock, config } = fest.services;
      const email = newEmail();
      const account = {
        email: email.toUpperCase(),
        password: PASSWORD,
        name: 'Op',
        roles: ['operator', 'buyer'] as const,
      };
      const services = { mysql, clock, config: { ...config, bootstrapAccounts: [account] } };
      const hashing = createPasswordHashing({ costLog2: 12 });
      const created = await Promise.all([1, 2, 3].map(() => ensureBootstrapAccounts(services, hashing)));
      expect(created.flat()).toEqual([email]);
      expect(await ensureBootstrapAccounts(services, hashing)).toEqual([]);
      const session = await signIn(email);
      const me = await call({ method: 'GET', path: '/me', token: session.body.accessToken });
      expect(me.body.roles).toEqual(['buyer', 'operator']);
    });
  });

  describe('sessions', () => {
    test('a refresh gives a new pair, and a token used before ends the session', async () => {
      const { email } = await signUp();
      const first = (await signIn(email)).body;
      expect(first).toEqual({
        accessToken: expect.any(String),
        expiresIn: LIMITS.accessTokenTtlSeconds,
        refreshToken: expect.stringMatching(/^[\w-]{64}$/),
      });
      const second = await refresh(first.refreshToken);
      expect(second.status).toBe(200);
      expect(second.body.refreshToken).not.toBe(first.refreshToken);
      const third = await refresh(second.body.refreshToken);
      expect(third.status).toBe(200);
      const stolen = await refresh(first.refreshToken);
      expect([stolen.status, stolen.body.code]).toEqual([401, 'bad_refresh_token']);
      expect((await refresh(third.body.refreshToken)).status).toBe(401);
    });

    test('a refresh whose answer was lost can be repeated at once and gives the same token', async () => {
      const { email } = await signUp();
      const { refreshToken } = (await signIn(email)).body;
      const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken), refresh(refreshToken)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
      expect((await refresh(answers[0]?.body.refreshToken)).status).toBe(200);
    });

    test('the repeat is over after a few seconds', async () => {
      const { id, email } = await signUp();
      const { refreshToken } = (await signIn(email)).body;
      const next = (await refresh(refreshToken)).body.refreshToken;
      await changeRows(
        fest.services.mysql,
        'UPDATE sessions SET refreshed_at_ms = refreshed_at_ms - ? WHERE account_id = ?',
        [LIMITS.refreshRepeatMs + 1, id],
      );
      expect((await refresh(refreshToken)).status).toBe(401);
      expect((await refresh(next)).status).toBe(401);
    });

    test('signing out ends this session and no other', async () => {
      const { email } = await signUp();
      const [one, two] = [(await signIn(email)).body, (await signIn(email)).body];
      const answer = await call({ method: 'DELETE', path: '/sessions', token: one.accessToken });
      expect([answer.status, answer.body]).toEqual([204, undefined]);
      expect((await refresh(one.refreshToken)).status).toBe(401);
      expect((await refresh(two.refreshToken)).status).toBe(200);
    });

    test('an expired session is refused and purged', async () => {
      const { id, email } = await signUp();
      const { refreshToken } = (await signIn(email)).body;
      await changeRows(fest.services.mysql, 'UPDATE sessions SET expires_at_ms = 1 WHERE account_id = ?', [id]);
      expect((await refresh(refreshToken)).status).toBe(401);
      expect(await purgeSessions(fest.services.mysql, 2)).toBe(1);
      expect(await purgeSessions(fest.services.mysql, 2)).toBe(0);
    });

    test('refresh tokens are stored as hashes only', async () => {
      const { id, email } = await signUp();
      const { refreshToken } = (await signIn(email)).body;
      const [row] = await selectRows<{ token_hash: Buffer }>(
        fest.services.mysql,
        'SELECT token_hash FROM sessions WHERE account_id = ?',
        [id],
      );
      expect(row?.token_hash.length).toBe(32);
      expect(Buffer.from(refreshToken, 'base64url').includes(row?.token_hash ?? '')).toBe(false);
    });

    test('a wrong password and an unknown address get the same answer', async () => {
      const { email } = await signUp();
      const [wrong, unknown] = [await signIn(email, 'wrong password'), await signIn(newEmail(), 'wrong password')];
      expect(wrong.status).toBe(401);
      // But for the id of the request, which each has of its own.
      expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
    });

    test.each(['known', 'unknown'])(
      'too many failures with a %s address are slowed down in the same words',
      async (kind) => {
        const email = kind === 'known' ? (await signUp()).email : newEmail();
        for (let attempt = 0; attempt < LIMITS.failedLoginsPerAccount; attempt += 1) {
          expect((await signIn(email, 'wrong password')).status).toBe(401);
        }
        const limited = await signIn(email);
        expect([limited.status, limited.body.code]).toEqual([429, 'rate_limited']);
        expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
        expect(limited.body.detail).toBe('Too many failed logins with this e-mail address.');
      },
    );
  });

  describe('bad input', () => {
    const good = { email: 'a@example.org', password: PASSWORD, name: 'Ada' };
    test.each<[string, unknown, string]>([
      ['no body', undefined, ''],
      ['a list', [], ''],
      ['a missing field', { email: good.email, password: PASSWORD }, '/name'],
      ['an unknown field', { ...good, roles: ['operator'] }, '/roles'],
      ['a wrong type', { ...good, name: 7 }, '/name'],
      ['no address', { ...good, email: 'ada' }, '/email'],
      ['a short password', { ...good, password: 'short' }, '/password'],
      ['an oversized name', { ...good, name: 'x'.repeat(101) }, '/name'],
      ['a control character', { ...good, name: 'A\u001b[31m' }, '/name'],
    ])('%s in a new account is refused with its place', async (_, body, pointer) => {
      const answer = await call({ method: 'POST', path: '/accounts', body });
      expect(answer.status).toBe(400);
      expect(answer.body.code).toBe('validation_failed');
      if (pointer !== '') expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer }));
    });

    test.each(['x', 'x'.repeat(64), '!'.repeat(64), 'A'.repeat(200)])(
      'a refresh token that is none: %s',
      async (token) => {
        expect((await refresh(token)).body.code).toBe('bad_refresh_token');
      },
    );

    test.each<[Call['method'], string]>([
      ['GET', '/me'],
      ['DELETE', '/me'],
      ['DELETE', '/sessions'],
    ])('%s %s needs a token of ours', async (method, path) => {
      for (const token of [undefined, 'x', `${await fest.tokenFor(1, ['buyer'])}x`]) {
        const answer = await call({ method, path, ...(token === undefined ? {} : { token }) });
        expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
      }
    });
  });
});
