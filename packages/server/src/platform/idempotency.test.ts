import { describe, expect, test } from 'vitest';
import { createAnswerVault, decideKey, isFinalAnswer } from './idempotency.ts';
import { canonicalJson, isIdempotencyKey } from './idempotency-key.ts';

const mine = Buffer.alloc(32, 1);
const other = Buffer.alloc(32, 2);
const SECOND = 1_000;
const DAY = 24 * 3600 * SECOND;

describe('a request that finds its key in use', () => {
  test.each([
    ['answered, same request', { fingerprint: mine, status: 201, createdAtMs: 0 }, 10 * SECOND, 'replay'],
    ['answered, other request', { fingerprint: other, status: 201, createdAtMs: 0 }, 10 * SECOND, 'otherRequest'],
    ['pending, same request', { fingerprint: mine, status: undefined, createdAtMs: 0 }, 59 * SECOND, 'inProgress'],
    ['pending, other request', { fingerprint: other, status: undefined, createdAtMs: 0 }, 10 * SECOND, 'otherRequest'],
    [
      'pending for longer than any handler runs',
      { fingerprint: mine, status: undefined, createdAtMs: 0 },
      60 * SECOND,
      'takeOver',
    ],
    ['older than promised', { fingerprint: other, status: 201, createdAtMs: 0 }, DAY, 'takeOver'],
  ])('%s', (_, row, nowMs, status) => {
    expect(decideKey(row, mine, nowMs).status).toBe(status);
  });
});

test.each([
  ['a', true],
  ['~'.repeat(100), true],
  ['', false],
  ['x'.repeat(101), false],
  ['two words', false],
  ['caf\u00e9', false],
])('the key %j is allowed: %s', (key, allowed) => {
  expect(isIdempotencyKey(key)).toBe(allowed);
});

test.each([
  [200, true],
  [201, true],
  [409, true],
  [422, true],
  [408, false],
  [429, false],
  [500, false],
  [503, false],
])('an answer with status %i is kept: %s', (status, kept) => {
  expect(isFinalAnswer(status)).toBe(kept);
});

test('two spellings of one document are the same request', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe(
    canonicalJson({ a: true, b: [1, { c: 'x', d: null }] }),
  );
  expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }));
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

describe('the vault', () => {
  const vault = createAnswerVault('s'.repeat(32));
  const id = Buffer.alloc(32, 9);

  test('a sealed answer opens under its own row and does not show its text', () => {
    const sealed = vault.seal(id, '{"accessToken":"secret"}');
    expect(sealed.includes('secret')).toBe(false);
    expect(vault.open(id, sealed)).toBe('{"accessToken":"secret"}');
  });

  test('a sealed answer does not open under another row, another secret, or changed', () => {
    const sealed = vault.seal(id, 'text');
    expect(() => vault.open(Buffer.alloc(32, 8), sealed)).toThrow();
    expect(() => createAnswerVault('t'.repeat(32)).open(id, sealed)).toThrow();
    const changed = Buffer.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(() => vault.open(id, changed)).toThrow();
  });

  test('the fingerprint depends on method, URL and body, and on the secret', () => {
    const prints = [
      vault.fingerprint('POST', '/a', { x: 1 }),
      vault.fingerprint('PUT', '/a', { x: 1 }),
      vault.fingerprint('POST', '/b', { x: 1 }),
      vault.fingerprint('POST', '/a', { x: 2 }),
      createAnswerVault('t'.repeat(32)).fingerprint('POST', '/a', { x: 1 }),
    ].map((print) => print.toString('hex'));
    expect(new Set(prints).size).toBe(5);
    expect(vault.fingerprint('POST', '/a', { x: 1 }).toString('hex')).toBe(prints[0]);
  });
});
