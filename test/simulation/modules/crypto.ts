/** In the place of `node:crypto` in the server's code: ids and secrets are drawn from the seed. */
import { requireSimulated } from '../engine/environment.ts';

export * from 'node:crypto';

export function randomBytes(length: number): Buffer {
  return requireSimulated().random.bytes(length);
}

/** @param bounds as Node has them: from, if not 0, and up to, which is not one of them */
export function randomInt(...bounds: readonly [number] | readonly [number, number]): number {
  const [from, to] = bounds.length === 1 ? [0, bounds[0]] : bounds;
  return requireSimulated().random.integer(from, to - 1);
}

export function randomUUID(): string {
  const hex = randomBytes(16).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
