/** In the place of `node:crypto` in the server's code: ids and secrets are drawn from the seed. */
import { requireSimulated } from '../engine/environment.ts';

export * from 'node:crypto';

export function randomBytes(length: number): Buffer {
  return requireSimulated().random.bytes(length);
}

export function randomUUID(): string {
  const hex = randomBytes(16).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
