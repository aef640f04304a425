/** What the command line of `fest bench rehearse` asks for. Pure. */
import { LIMITS } from '@fest/server/limits';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { RehearsalBounds } from './knee-search.ts';
import { type BenchOptions, wholeNumber } from './options.ts';

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
  readonly steps?: string;
  readonly minutes?: string;
  readonly inside?: string;
  readonly holdSeconds?: string;
  readonly apply?: string;
  readonly yes?: boolean;
}

export interface RehearsalPlan extends RehearsalBounds {
  /** Of a step. */
  readonly seconds: number;
  /** No step begins that would end later than so long after the first one began. */
  readonly minutes: number;
  /** How long somebody is inside on average; undefined: it is reckoned. */
  readonly insideSeconds: number | undefined;
  /** Of the real sale; with `--apply` that sale says it itself. */
  readonly holdSeconds: number;
}

/** More needs more than one k6. */
const PER_SECOND_MAX = 1_500;
/** Access tokens are good for half an hour, and preparing takes some of it. */
const MINUTES_MAX = 20;
/** One to warm up, two of a climb, and some to search with. */
const STEPS_MIN = 4;
const STEPS_MAX = 100;
const SECONDS_MAX = 120;
const INSIDE_MAX = 3_600;
const DEFAULTS = { from: 20, to: 500, seconds: 10, steps: 24, minutes: 12 } as const;

/** @throws FixableError naming the flag that is wrong */
export function parseRehearsal(options: RehearseOptions): RehearsalPlan {
  const { from, to, seconds, steps, minutes, inside, holdSeconds, apply } = options;
  const orDefault = (flag: string, text: string | undefined, otherwise: number, least: number, most: number): number =>
    text === undefined ? otherwise : wholeNumber(flag, text, most, least);
  const { holdSecondsMin, holdSecondsMax, holdSecondsDefault } = LIMITS;
  const plan = {
    from: orDefault('--from', from, DEFAULTS.from, 1, PER_SECOND_MAX),
    to: orDefault('--to', to, DEFAULTS.to, 1, PER_SECOND_MAX),
    seconds: orDefault('--seconds', seconds, DEFAULTS.seconds, 1, SECONDS_MAX),
    steps: orDefault('--steps', steps, DEFAULTS.steps, STEPS_MIN, STEPS_MAX),
    minutes: orDefault('--minutes', minutes, DEFAULTS.minutes, 1, MINUTES_MAX),
    insideSeconds: inside === undefined ? undefined : wholeNumber('--inside', inside, INSIDE_MAX),
    holdSeconds: orDefault('--hold-seconds', holdSeconds, holdSecondsDefault, holdSecondsMin, holdSecondsMax),
  };
  if (plan.from > plan.to) {
    throw wrong(`--from ${plan.from} is above --to ${plan.to}`, 'The rate rises from the first to the second.');
  }
  if (apply !== undefined && holdSeconds !== undefined) {
    throw wrong(
      '--hold-seconds does not go with --apply',
      'Leave it out: the sale says itself how long its holds are.',
    );
  }
  return plan;
}

function wrong(what: string, fix: string): FixableError {
  return new FixableError({ what, fix, exitCode: EXIT.usage });
}
