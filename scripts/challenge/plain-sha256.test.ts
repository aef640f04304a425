import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { firstWordOfSha256 } from './plain-sha256.ts';

it.each(['', 'abc', 'a'.repeat(55), 'AQ8BknbR2GAvGm1nDkWc0yqh8sT3bYxV.7.zz1'])('is SHA-256 of "%s"', (text) => {
  expect(firstWordOfSha256(text)).toBe(createHash('sha256').update(text).digest().readUInt32BE(0));
});
