import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { createSigner, createVerifier } from 'fast-jwt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../limits.ts';
import { createAccessTokens } from './access-tokens.ts';

const SECRET = 'a secret of at least thirty-two characters';
const tokens = createAccessTokens(SECRET);
const CLAIMS = { accountId: 7, roles: ['buyer'], sessionId: 'c2Vzc2lvbg' } as const;
const PAYLOAD = { iss: 'fest', aud: 'fest-api', sub: '7', sid: 'c2Vzc2lvbg', roles: ['buyer'] };

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Any token at all, with a signature that is right for it. */
function signed(payload: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, secret = SECRET): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('access tokens', () => {
  it('say whose they are', () => {
    expect(tokens.verify(tokens.sign(CLAIMS))).toEqual(CLAIMS);
    expect(tokens.verify(signed({ ...PAYLOAD, exp: nowSeconds() + 60 }))).toEqual(CLAIMS);
  });

  it('are JWTs that anybody with the key can check', () => {
    const verifier = createVerifier({ key: SECRET, algorithms: ['HS256'], allowedIss: 'fest', allowedAud: 'fest-api' });
    expect(verifier(tokens.sign(CLAIMS))).toMatchObject({ sub: '7', sid: CLAIMS.sessionId, roles: ['buyer'] });
  });

  it('expire', () => {
    vi.useFakeTimers();
    const token = tokens.sign(CLAIMS);
    vi.advanceTimersByTime((LIMITS.accessTokenTtlSeconds - 1) * 1000);
    expect(tokens.verify(token)).toEqual(CLAIMS);
    vi.advanceTimersByTime(2_000);
    expect(tokens.verify(token)).toBeUndefined();
  });

  const exp = (): { exp: number } => ({ exp: nowSeconds() + 60 });
  it.each<[string, () => string]>([
    ['nothing', () => ''],
    ['dots', () => '..'],
    ['no signature', () => tokens.sign(CLAIMS).replace(/[^.]*$/, '')],
    ['another key', () => signed({ ...PAYLOAD, ...exp() }, undefined, `${SECRET}!`)],
    ['no algorithm', () => `${encode({ alg: 'none' })}.${encode({ ...PAYLOAD, ...exp() })}.`],
    ['no algorithm, signed', () => signed({ ...PAYLOAD, ...exp() }, { alg: 'none', typ: 'JWT' })],
    [
      'another algorithm with the same key',
      () => createSigner({ key: SECRET, algorithm: 'HS512' })({ ...PAYLOAD, ...exp() }),
    ],
    ['another issuer', () => signed({ ...PAYLOAD, ...exp(), iss: 'feast' })],
    ['no issuer', () => signed({ ...PAYLOAD, ...exp(), iss: undefined })],
    ['another audience', () => signed({ ...PAYLOAD, ...exp(), aud: 'fest-admin' })],
    ['several audiences', () => signed({ ...PAYLOAD, ...exp(), aud: ['fest-api', 'other'] })],
    ['a later beginning', () => signed({ ...PAYLOAD, ...exp(), nbf: nowSeconds() + 30 })],
    ['no end', () => signed(PAYLOAD)],
    ['an end that is text', () => signed({ ...PAYLOAD, exp: '99999999999' })],
    ['an end that has come', () => signed({ ...PAYLOAD, exp: nowSeconds() })],
    ['no account', () => signed({ ...PAYLOAD, ...exp(), sub: undefined })],
    ['an account that is no number', () => signed({ ...PAYLOAD, ...exp(), sub: 'me' })],
    ['account 0', () => signed({ ...PAYLOAD, ...exp(), sub: '0' })],
    ['no session', () => signed({ ...PAYLOAD, ...exp(), sid: undefined })],
    ['a payload that is null', () => signed(null)],
    [
      'a payload that is no JSON',
      () => {
        const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${Buffer.from('{').toString('base64url')}`;
        return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
      },
    ],
    ['another spelling of the signature', () => `${tokens.sign(CLAIMS)}=`],
    ['more than one', () => `${tokens.sign(CLAIMS)} ${tokens.sign(CLAIMS)}`],
    ['too long', () => signed({ ...PAYLOAD, ...exp(), more: 'x'.repeat(LIMITS.accessTokenCharacters) })],
  ])('are not accepted with %s', (_, make) => {
    expect(tokens.verify(make())).toBeUndefined();
  });

  it('are not accepted when a character was changed, whatever it was changed to', () => {
    const token = tokens.sign(CLAIMS);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }), (at, to) => {
        const changed = token.slice(0, at) + to + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(tokens.verify(changed)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
    // With the same last byte as the one it takes the place of.
    for (let at = 0; at < token.length; at += 1) {
      const wide = String.fromCharCode(token.charCodeAt(at) + 256);
      expect(tokens.verify(token.slice(0, at) + wide + token.slice(at + 1))).toBeUndefined();
    }
  });

  it('leave roles out that nobody knows', () => {
    expect(tokens.verify(signed({ ...PAYLOAD, ...exp(), roles: ['buyer', 'god'] }))?.roles).toEqual(['buyer']);
    expect(tokens.verify(signed({ ...PAYLOAD, ...exp(), roles: 'operator' }))?.roles).toEqual([]);
  });
});
