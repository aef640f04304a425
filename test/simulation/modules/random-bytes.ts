/** In the place of the server's `platform/random-bytes.ts`: nothing is left over for the next seed. */
import { randomBytes } from './crypto.ts';

export function fewRandomBytes(length: number): Buffer {
  return randomBytes(length);
}
