/** What the command line of `fest bench rehearse` asks for. Pure. */
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { RehearsalBounds } from './knee.ts';
import type { BenchOptions } from './options.ts';

export interface RehearseOptions
  extends Pick<
    BenchOptions,
    | 'dir'
    | 'json'
    | 'url'
    | 'profile'
    | 'environment'
    | 'target'
    | 'servers'
    | 'k6'
    | 'build'
    | 'install'
    | 'allowRemote'
    | 'confirm'
    | 'seed'
  > {
  readonly from?: string;
  readonly to?: string;
  readonly seconds?: string;
  readonly passes?: string;
  readonly inside?: string;
  readonly apply?: string;
  readonly yes?: boolean;
}

export interface RehearsalPlan extends RehearsalBounds {
  /** Of a step. */
  readonly seconds: number;
  /** How long a buyer is inside; undefined: as measured. */
  readonly insideSeconds: number | undefined;
}

/** More needs more than one k6. */
const PER_SECOND_MAX = 1_500;
const DEFAULTS = { from: 20, to: 500, seconds: 10, passes: 3 } as const;

/** @throws FixableError naming the flag that is wrong */
export function parseRehearsal(options: RehearseOptions): RehearsalPlan {
  const { from, to, seconds, passes, inside } = options;
  const plan = {
    from: from === undefined ? DEFAULTS.from : wholeNumber('--from', from, PER_SECOND_MAX),
    to: to === undefined ? DEFAULTS.to : wholeNumber('--to', to, PER_SECOND_MAX),
    seconds: seconds === undefined ? DEFAULTS.seconds : wholeNumber('--seconds', seconds, 120),
    passes: passes === undefined ? DEFAULTS.passes : wholeNumber('--passes', passes, 20),
    insideSeconds: inside === undefined ? undefined : wholeNumber('--inside', inside, 3_600),
  };
  if (plan.from <= plan.to) return plan;
  throw new FixableError({
    what: `--from ${plan.from} is above --to ${plan.to}`,
    fix: 'The rate rises from the first to the second.',
    exitCode: EXIT.usage,
  });
}

function wholeNumber(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  throw new FixableError({
    what: `${flag} is wrong: “${text}”`,
    fix: `Give a whole number from 1 to ${most}.`,
    exitCode: EXIT.usage,
  });
}
