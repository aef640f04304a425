import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { createQueueTokens } from './queue-token.ts';

const tokens = createQueueTokens('a secret of at least thirty-two characters');
const claims = fc.record({
  saleId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  accountId: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
  number: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
  epoch: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
});

describe('queue tokens', () => {
  it('carry their claims and fit into 64 characters', () => {
    fc.assert(
      fc.property(claims, (given) => {
        const token = tokens.mint(given);
        expect(token.length).toBeLessThanOrEqual(LIMITS.queueTokenCharacters);
        expect(tokens.verify(token)).toEqual(given);
      }),
    );
  });

  it('have room for the numbers of a million epochs', () => {
    const number = 1_000_000 * LIMITS.queueNumbersPerEpoch;
    const given = { saleId: 1, accountId: 2, number, epoch: 1_000_001 };
    expect(tokens.verify(tokens.mint(given))).toEqual(given);
  });

  it('are refused when any bit was changed', () => {
    const token = tokens.mint({ saleId: 1, accountId: 2, number: 3, epoch: 1 });
    const bytes = Buffer.from(token, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(tokens.verify(forged.toString('base64url'))).toBeUndefined();
    }
  });

  it('are refused when another key made them', () => {
    const foreign = createQueueTokens('another secret of thirty-two characters!!');
    expect(tokens.verify(foreign.mint({ saleId: 1, accountId: 2, number: 3, epoch: 1 }))).toBeUndefined();
  });

  it('are refused whatever text is sent instead', () => {
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => tokens.verify(text) === undefined));
  });
});
