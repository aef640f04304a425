import { describe, expect, test } from 'vitest';
import { createPasswordHashing, parseStoredPassword } from './password-hashing.ts';

const hashing = createPasswordHashing({ costLog2: 4, atOnce: 1, waiting: 1 });

async function hashOf(password: string, costLog2 = 4): Promise<string> {
  const result = await createPasswordHashing({ costLog2 }).hash(password);
  if (result.status === 'busy') throw new Error('busy');
  return result.hash;
}

describe('password hashing', () => {
  test('a password matches its own hash, another one does not', async () => {
    const stored = await hashOf('correct horse');
    expect(stored).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[^$]{22}\$[^$]{43}$/);
    expect(await hashing.verify('correct horse', stored)).toEqual({ status: 'match', outdated: false });
    expect(await hashing.verify('correct horsE', stored)).toEqual({ status: 'mismatch' });
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

  test.each(['', 'plain', '$scrypt$ln=30,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'])(
    'a stored text that is none of ours is refused: %s',
    async (stored) => {
      expect(parseStoredPassword(stored)).toBeUndefined();
      await expect(hashing.verify('x', stored)).rejects.toThrow('does not write');
    },
  );

  test('the production cost of 2^15 fits the memory limit it sets', async () => {
    const strong = createPasswordHashing({ costLog2: 15 });
    const result = await strong.hash('password');
    expect(result.status).toBe('hashed');
  });
});
