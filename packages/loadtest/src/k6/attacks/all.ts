/** Every attack, by its name. */
import type { Attack } from '../../bench/attacks.ts';
import * as access from './access.ts';
import type { Pair } from './accomplices.ts';
import * as holds from './holds.ts';
import * as line from './line.ts';
import * as payments from './payments.ts';
import * as roles from './roles.ts';

export const ATTACKING: Readonly<Record<Attack, (pair: Pair) => void>> = {
  ...access,
  ...line,
  ...holds,
  ...payments,
  ...roles,
};
