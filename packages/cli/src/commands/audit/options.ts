import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { LogOptions } from '../log/log-directories.ts';

export interface AuditOptions extends LogOptions {
  readonly sale?: string;
  readonly gateway?: string;
  readonly without?: string;
  readonly wait?: string;
  readonly details?: string;
}

export const LEAVABLE_SOURCES = ['redis', 'mysql', 'gateway'] as const;
export type LeavableSource = (typeof LEAVABLE_SOURCES)[number];

export interface AuditPlan {
  /** Undefined: all there are. */
  readonly saleIds: readonly number[] | undefined;
  readonly without: readonly LeavableSource[];
  readonly waitMs: number | undefined;
  readonly findingsPerCheck: number | undefined;
}

const WAIT_SECONDS_MAX = 3_600;
const DETAILS_MAX = 1_000;

/** @throws FixableError for what is wrong on the command line */
export function planAudit({ sale, without, wait, details }: AuditOptions): AuditPlan {
  return {
    saleIds: sale === undefined ? undefined : listOf(sale).map(parseSaleId),
    without: listOf(without ?? '').map(parseSource),
    waitMs: wait === undefined ? undefined : parseNumber('--wait', wait, WAIT_SECONDS_MAX) * 1_000,
    findingsPerCheck: details === undefined ? undefined : Math.max(1, parseNumber('--details', details, DETAILS_MAX)),
  };
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseSaleId(text: string): number {
  const id = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id;
  throw usage(`“${text}” is not a sale id`, '`fest sale list` shows them.');
}

function parseSource(text: string): LeavableSource {
  const known = LEAVABLE_SOURCES.find((source) => source === text);
  if (known !== undefined) return known;
  throw usage(`There is no source “${text}” to leave out`, `Give some of ${LEAVABLE_SOURCES.join(', ')}.`);
}

function parseNumber(flag: string, text: string, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= max) return number;
  throw usage(`${flag} is wrong: “${text}”`, `Give a whole number from 0 to ${max}.`);
}

function usage(what: string, fix: string): FixableError {
  return new FixableError({ what, fix, exitCode: EXIT.usage });
}
