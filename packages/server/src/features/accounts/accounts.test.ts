import { describe, expect, test } from 'vitest';
import { decideRefresh, formatRoles, normaliseEmail, parseRoles, type SessionRecord } from './accounts.ts';
import { createRefreshTokens, hashToken, newSessionId, sessionOfToken } from './refresh-tokens.ts';

test('one mailbox has one spelling', () => {
  expect(normaliseEmail(' Ada@Example.ORG ')).toBe('ada@example.org');
});

test('roles are stored in a fixed order and unknown ones are dropped', () => {
  expect(formatRoles(['operator', 'buyer'])).toBe('buyer,operator');
  expect(parseRoles('operator,wizard,buyer')).toEqual(['buyer', 'operator']);
  expect(parseRoles('')).toEqual([]);
});

describe('refresh tokens', () => {
  const tokens = createRefreshTokens('s'.repeat(32));
  const random = (bytes: number) => Buffer.alloc(bytes, 3);

  test('a token names its session and its successor names the same', () => {
    const sessionId = newSessionId(random);
    const first = tokens.first(sessionId, random);
    expect(first).toMatch(/^[A-Za-z0-9_-]{64}$/);
    expect(sessionOfToken(first)).toEqual(sessionId);
    const second = tokens.successor(first);
    expect(second).not.toBe(first);
    expect(sessionOfToken(second)).toEqual(sessionId);
    expect(tokens.successor(first)).toBe(second);
    expect(createRefreshTokens('t'.repeat(32)).successor(first)).not.toBe(second);
  });

  test.each(['', 'short', 'x'.repeat(63), 'x'.repeat(65), `${'x'.repeat(63)}!`])('%j is no token', (text) => {
    expect(sessionOfToken(text)).toBeUndefined();
  });
});

describe('a refresh', () => {
  const hash = (text: string) => hashToken(text);
  const shown = { hash: hash('shown'), successorHash: hash('successor') };
  const session: SessionRecord = {
    accountId: 1,
    tokenHash: hash('shown'),
    previousTokenHash: undefined,
    refreshedAtMs: 0,
    expiresAtMs: 1_000_000,
    revoked: false,
  };
  const used: SessionRecord = { ...session, tokenHash: hash('successor'), previousTokenHash: hash('shown') };

  test.each<[string, SessionRecord | undefined, number, string]>([
    ['with the current token replaces it', session, 500, 'rotate'],
    ['of an unknown session is refused', undefined, 500, 'refuse'],
    ['of an ended session is refused', { ...session, revoked: true }, 500, 'refuse'],
    ['of an expired session is refused', session, 1_000_000, 'refuse'],
    ['repeated because the answer was lost gives the same successor', used, 10_000, 'repeat'],
    ['with a used token ends the session', used, 10_001, 'revoke'],
    ['with a token used twice over ends the session', { ...used, tokenHash: hash('later') }, 500, 'revoke'],
    ['with an unknown token of the session ends it', { ...session, tokenHash: hash('other') }, 500, 'revoke'],
  ])('%s', (_, record, nowMs, decision) => {
    expect(decideRefresh(record, shown, nowMs)).toBe(decision);
  });
});
