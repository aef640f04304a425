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
  /** For everything that is waited for together. */
  readonly waitMs: number | undefined;
  readonly findingsPerCheck: number | undefined;
}

const WAIT_SECONDS_MAX = 3_600;
const DETAILS_MAX = 1_000;

/** @throws FixableError for what is wrong on the command line */
export function planAudit({ sale, without, wait, details }: AuditOptions): AuditPlan {
  const ids = sale === undefined ? undefined : listOf('--sale', sale, SALE_FIX).map(parseSaleId);
  return {
    saleIds: ids === undefined ? undefined : [...new Set(ids)],
    without: without === undefined ? [] : listOf('--without', without, WITHOUT_FIX).map(parseSource),
    waitMs: wait === undefined ? undefined : parseNumber('--wait', wait, 0, WAIT_SECONDS_MAX) * 1_000,
    findingsPerCheck: details === undefined ? undefined : parseNumber('--details', details, 1, DETAILS_MAX),
  };
}

const SALE_FIX = 'Give ids with commas between them, as in --sale 1,2, or leave the option out to audit all sales.';
const WITHOUT_FIX = `Give some of ${LEAVABLE_SOURCES.join(', ')}.`;

/** An empty list is most likely a variable of a script that is not set: it means neither nothing nor everything. */
function listOf(flag: string, text: string, fix: string): readonly string[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw usage(`${flag} is empty`, fix);
  return parts;
}

function parseSaleId(text: string): number {
  const id = Number(text);
  if (/^[1-9]\d*$/.test(text) && id <= 0xffff_ffff) return id;
  throw usage(`“${text}” is not a sale id`, SALE_FIX);
}

function parseSource(text: string): LeavableSource {
  const known = LEAVABLE_SOURCES.find((source) => source === text);
  if (known !== undefined) return known;
  throw usage(`There is no source “${text}” to leave out`, WITHOUT_FIX);
}

function parseNumber(flag: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw usage(`${flag} is wrong: “${text}”`, `Give a whole number from ${min} to ${max}.`);
}

function usage(what: string, fix: string): FixableError {
  return new FixableError({ what, fix, exitCode: EXIT.usage });
}
