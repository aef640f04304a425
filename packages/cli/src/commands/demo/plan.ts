/** What one demo run does: flags and defaults → numbers. Pure. */
import { LIMITS } from '@fest/server/limits';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

export interface DemoOptions extends GlobalOptions {
  readonly buyers?: string;
  readonly tickets?: string;
  readonly servers?: string;
  readonly port?: string;
  /** False with `--no-install`. */
  readonly install?: boolean;
  /** End after the report instead of staying up. */
  readonly exit?: boolean;
}

export interface DemoPlan {
  readonly buyers: number;
  readonly tickets: number;
  /** Buyers arrive over this time, milliseconds. */
  readonly arriveOverMs: number;
  readonly perSecond: number;
  readonly maxActive: number;
}

export const DEMO_BUYERS = 3_000;
export const DEMO_TICKETS = 1_000;
/** More simulated buyers than this in one process measure the process. */
const BUYERS_MAX = 50_000;

/**
 * Times of the sale the demo sells: so short that tickets of buyers who never pay are sold again within the run. The
 * seconds are whole because the API takes whole ones.
 */
export const DEMO_HOLD_SECONDS = 12;
export const DEMO_ADMISSION_SECONDS = 8;

/** Before the gateway's answer counts as unknown: a real one gets ten seconds, a demo has no time for that. */
const GATEWAY: Readonly<Record<string, string>> = {
  FEST_GATEWAY_LATENCY_MS: '300',
  FEST_GATEWAY_DECLINE_RATE: '0.03',
  FEST_GATEWAY_TIMEOUT_RATE: '0.01',
  FEST_GATEWAY_UNKNOWN_RATE: '0.01',
  FEST_GATEWAY_TIMEOUT_MS: '2000',
};

/** @throws {FixableError} naming the flag that is wrong */
export function planDemo(options: Pick<DemoOptions, 'buyers' | 'tickets'>): DemoPlan {
  const buyers = parseCount('--buyers', options.buyers, DEMO_BUYERS, BUYERS_MAX);
  const tickets = parseCount('--tickets', options.tickets, DEMO_TICKETS, LIMITS.capacityTickets);
  return {
    buyers,
    tickets,
    arriveOverMs: Math.max(1_000, Math.round(buyers)),
    // Through the queue in some ten seconds, so that there is one to be seen; slower would only be waiting.
    perSecond: Math.max(20, Math.ceil(buyers / 12)),
    maxActive: Math.max(50, Math.min(1_000, Math.ceil(tickets / 2))),
  };
}

/** When joining takes a proof of work: thousands of buyers do theirs on this one machine, in some milliseconds each. */
const CHALLENGE: Readonly<Record<string, string>> = { FEST_JOIN_CHALLENGE_BITS: '10' };

/** The environment of the stack: a lively gateway, unless the user has set it up otherwise. */
export function demoEnvironment(env: Context['env']): Context['env'] {
  return { ...GATEWAY, ...CHALLENGE, ...env };
}

function parseCount(flag: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= max) return count;
  throw new FixableError({
    what: `${flag} is wrong: “${text}”`,
    fix: `Give a whole number from 1 to ${max}.`,
    exitCode: EXIT.usage,
  });
}
