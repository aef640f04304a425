/** What the command line of `fest bench` asks for. Pure. */
import { BENCH_BOUNDS } from '@fest/loadtest/bench/bounds';
import { BENCH_PROFILES, type BenchProfile, type BenchScenario } from '@fest/loadtest/bench/plan';
import type { LoadOverrides } from '@fest/loadtest/bench/profiles';
import { LIMITS } from '@fest/server/limits';
import type { GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

/** As commander gives it: texts. `profile` is that of the load; the environment is chosen with `environment`. */
export interface BenchOptions extends GlobalOptions {
  readonly environment?: string;
  readonly target?: readonly string[];
  readonly vus?: string;
  readonly rate?: string;
  readonly duration?: string;
  readonly servers?: string;
  readonly mode?: string;
  readonly perSecond?: string;
  readonly maxActive?: string;
  readonly k6?: string;
  /** False with `--no-build`. */
  readonly build?: boolean;
  /** False with `--no-install`. */
  readonly install?: boolean;
  readonly allowRemote?: boolean;
  readonly confirm?: string;
  readonly seed?: string;
  readonly thresholdFactor?: string;
  readonly baseline?: string;
  readonly out?: string;
  /** Nothing is run: only `out` is written. */
  readonly prepareOnly?: boolean;
}

/** What stands instead of how the scenario lets buyers in. */
export interface AdmissionOverrides {
  readonly mode?: 'auto' | 'fixed';
  readonly perSecond?: number;
  readonly maxActive?: number;
}

export interface BenchRequest {
  readonly scenario: BenchScenario;
  readonly profile: BenchProfile;
  readonly overrides: LoadOverrides;
  readonly admission: AdmissionOverrides;
  /** Undefined: none was named. */
  readonly targets: readonly string[] | undefined;
  readonly seed: string;
  readonly thresholdFactor: number;
}

export const BENCH_PROFILE_DEFAULT: BenchProfile = 'average';
/** The same choices in every run, so that two runs differ by what was changed between them. */
const SEED_DEFAULT = 'fest';

const FACTOR_MAX = 100;

/** @throws FixableError naming the flag that is wrong */
export function parseBenchOptions(scenario: BenchScenario, options: BenchOptions): BenchRequest {
  const { vus, rate, duration, target, thresholdFactor } = options;
  return {
    scenario,
    profile: parseProfile(scenario, options.profile),
    overrides: {
      ...(vus === undefined ? {} : { users: wholeNumber('--vus', vus, BENCH_BOUNDS.users) }),
      ...(rate === undefined ? {} : { perSecond: wholeNumber('--rate', rate, BENCH_BOUNDS.perSecond) }),
      ...(duration === undefined ? {} : { seconds: parseDuration(duration) }),
    },
    admission: parseAdmission(options),
    targets: target === undefined ? undefined : [...new Set(target.map(parseTarget))],
    seed: options.seed ?? SEED_DEFAULT,
    thresholdFactor: thresholdFactor === undefined ? 1 : parseFactor(thresholdFactor),
  };
}

function parseProfile(scenario: BenchScenario, text: string | undefined): BenchProfile {
  if (text === undefined) return BENCH_PROFILE_DEFAULT;
  const profile = BENCH_PROFILES.find((known) => known === text);
  if (profile !== undefined) return profile;
  throw new FixableError({
    what: `There is no load profile “${text}”`,
    why: `there are ${BENCH_PROFILES.join(', ')}; with fest bench --profile says how much load comes`,
    fix:
      'Name one of them. If you meant an environment of fest.config.yaml: ' +
      `fest bench ${scenario} --environment ${text}`,
    exitCode: EXIT.usage,
  });
}

function parseAdmission({ mode, perSecond, maxActive }: BenchOptions): AdmissionOverrides {
  // A rate alone is meant to be kept.
  const wanted = mode ?? (perSecond === undefined ? undefined : 'fixed');
  return {
    ...(wanted === 'auto' || wanted === 'fixed' ? { mode: wanted } : {}),
    ...(perSecond === undefined ? {} : { perSecond: wholeNumber('--per-second', perSecond, LIMITS.perSecondMax) }),
    ...(maxActive === undefined ? {} : { maxActive: wholeNumber('--max-active', maxActive, LIMITS.maxActiveMax) }),
  };
}

const DURATION_UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, min: 60 };

/** `90`, `90s`, `5m` → seconds. */
function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)(s|m|min)?$/.exec(text) ?? [];
  const seconds = Number(number) * (DURATION_UNITS[unit] ?? 0);
  if (number !== '' && seconds >= 1 && seconds <= BENCH_BOUNDS.seconds) return seconds;
  const most = `${BENCH_BOUNDS.seconds / 60}m`;
  throw wrong('--duration', text, `Give seconds, or a number with a unit: 90, 90s, 5m; ${most} at most.`);
}

function parseTarget(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (isPlain && url.username === '' && url.password === '') return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  throw wrong('--target', text, 'Give the address of a server, e.g. http://127.0.0.1:8080');
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (text.trim() !== '' && factor > 0 && factor <= FACTOR_MAX) return factor;
  throw wrong('--threshold-factor', text, `Give a number above 0 and up to ${FACTOR_MAX}: 2 allows twice the latency.`);
}

/** @throws FixableError unless it is one from 1 to `most` */
export function wholeNumber(flag: string, text: string, most: number, least = 1): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw wrong(flag, text, `Give a whole number from ${least} to ${most.toLocaleString('en-US')}.`);
}

function wrong(flag: string, text: string, fix: string): FixableError {
  return new FixableError({ what: `${flag} is wrong: “${text}”`, fix, exitCode: EXIT.usage });
}
