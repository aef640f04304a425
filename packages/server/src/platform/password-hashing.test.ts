import { afterAll, describe, expect, test } from 'vitest';
import { createPasswordHashing, type PasswordHashingOptions, parseStoredPassword } from './password-hashing.ts';

const opened: Array<{ close(): Promise<void> }> = [];
afterAll(() => Promise.all(opened.map((hashing) => hashing.close())));

function open(options: Partial<PasswordHashingOptions> = {}) {
  const hashing = createPasswordHashing({ costLog2: 4, ...options });
  opened.push(hashing);
  return hashing;
}

const hashing = open({ threads: 1, waiting: 1 });

async function hashOf(password: string, costLog2 = 4): Promise<string> {
  const result = await open({ costLog2 }).hash(password);
  if (result.status !== 'hashed') throw new Error(result.status);
  return result.hash;
}

describe('password hashing', () => {
  test('a password matches its own hash, another one does not', async () => {
    const stored = await hashOf('correct horse');
    expect(stored).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[^$]{22}\$[^$]{43}$/);
    expect(await hashing.verify('correct horse', stored)).toEqual({ status: 'match', outdated: false });
    expect(await hashing.verify('correct horsE', stored)).toEqual({ status: 'mismatch' });
  });

  test('a hash that was made with another library is understood', async () => {
    // Python: hashlib.scrypt(b'correct horse', salt=bytes(range(16)), n=16384, r=8, p=1, dklen=32)
    const stored = '$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU';
    expect(await hashing.verify('correct horse', stored)).toEqual({ status: 'match', outdated: true });
  });

  test('the same password is stored differently every time', async () => {
    expect(await hashOf('same')).not.toBe(await hashOf('same'));
  });

  test('a composed and a decomposed letter are the same password', async () => {
    expect(await hashing.verify('caf\u0065\u0301-au-lait', await hashOf('caf\u00e9-au-lait'))).toMatchObject({
      status: 'match',
    });
  });

  test('a hash of another cost still matches and is marked as outdated', async () => {
    expect(await hashing.verify('old', await hashOf('old', 5))).toEqual({ status: 'match', outdated: true });
  });

  test('without an account the same work is done and nothing matches', async () => {
    expect(await hashing.verify('anything', undefined)).toEqual({ status: 'mismatch' });
  });

  test('beyond the waiting line it says busy at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => hashing.verify('x', undefined)));
    expect(results.map(({ status }) => status)).toEqual(['mismatch', 'mismatch', 'busy']);
  });

  test('who goes away while waiting is not hashed, and all outcomes are counted', async () => {
    const counted = open({ threads: 1, waiting: 2 });
    const away = new AbortController();
    const results = [undefined, away.signal, undefined, undefined].map((signal) =>
      counted.verify('x', undefined, signal),
    );
    expect(await results[3]).toEqual({ status: 'busy' });
    expect(counted.stats()).toEqual({ waiting: 2, hashed: 0, busy: 1, abandoned: 0, failed: 0 });
    away.abort();
    expect(await results[1]).toEqual({ status: 'abandoned' });
    expect(await results[2]).toEqual({ status: 'mismatch' });
    expect(await counted.hash('x', AbortSignal.abort())).toEqual({ status: 'abandoned' });
    expect(counted.stats()).toEqual({ waiting: 0, hashed: 2, busy: 1, abandoned: 2, failed: 0 });
  });

  test('closing tells those who wait that it is busy, finishes what was begun, and takes nothing any more', async () => {
    const closing = open({ threads: 1, waiting: 5 });
    const results = [1, 2, 3].map(() => closing.verify('x', undefined));
    await Promise.resolve();
    await closing.close();
    expect((await Promise.all(results)).map(({ status }) => status)).toEqual(['mismatch', 'busy', 'busy']);
    expect(await closing.hash('x')).toEqual({ status: 'busy' });
  });

  test.each(['', 'plain', '$scrypt$ln=30,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'])(
    'a stored text that is none of ours is refused: %s',
    async (stored) => {
      expect(parseStoredPassword(stored)).toBeUndefined();
      await expect(hashing.verify('x', stored)).rejects.toThrow('does not write');
    },
  );

  test('the production cost of 2^15 fits the memory limit it sets', async () => {
    const result = await open({ costLog2: 15 }).hash('password');
    expect(result.status).toBe('hashed');
  });
});
