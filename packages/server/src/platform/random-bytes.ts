/** Random bytes, a few at a time: asking for eight of them costs as much as asking for thousands. */
import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4_096;

let pool = Buffer.alloc(0);
let used = 0;

/** @param length at most 4,096 */
export function fewRandomBytes(length: number): Buffer {
  if (used + length > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += length;
  return pool.subarray(used - length, used);
}
