/** How large a load may be. Units are in the names, reasons beside them. */
export const BENCH_BOUNDS = {
  /** Each is a virtual user with a connection of its own: a quarter of a megabyte here and an open file on both sides. */
  users: 20_000,
  /** More than one machine can send. */
  perSecond: 20_000,
  /** Access tokens are good for thirty minutes, and preparing, the end and the checks take some. */
  seconds: 1_200,
  /** Arrivals of one run: each has an account of its own, which has to be made. */
  arrivals: 200_000,
  /** Numbers drawn beforehand. */
  waiters: 1_000_000,
} as const;

/** What of a load was asked for too large, too small, or where it means nothing. */
export type LoadOption = 'users' | 'rate' | 'duration';

/** What they are called where they are given. */
const FLAGS: Readonly<Record<LoadOption, string>> = { users: '--vus', rate: '--rate', duration: '--duration' };

/** The message is a sentence that says the bound. */
export class LoadBoundError extends RangeError {
  override readonly name = 'LoadBoundError';
  readonly option: LoadOption;

  constructor(option: LoadOption, message: string) {
    super(message);
    this.option = option;
  }
}

/** @throws {LoadBoundError} when it is no whole number from 1 to `max` */
export function requireWithin(option: LoadOption, value: number, max: number, unit: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new LoadBoundError(
    option,
    `${FLAGS[option]} can be a whole number from 1 to ${max} ${unit}, and not ${value}.`,
  );
}
