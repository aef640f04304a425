/** The two arms, the order of their phases, and what is known of each phase afterwards: plain data. */

import type { CpuShares } from '@fest/loadtest/measuring/usage';
import type { Machine } from '../measuring/machine.ts';
import { interleave, type Turn } from '../measuring/pairs.ts';
import type { AcknowledgementOptions } from './options.ts';
import type { MeasuredOrder } from './orders.ts';
import type { LogWork } from './server-counters.ts';

/** A: `without` logins, B: `with`. */
export const ARMS = ['without', 'with'] as const;
export type Arm = (typeof ARMS)[number];

/** Logins of one phase, per second unless the name says otherwise. */
export interface LoginRates {
  readonly done: number;
  readonly refused: number;
  readonly gaveUp: number;
  readonly failed: number;
  /** Requests at the server at the same time, on average; all other clients wait as long as they were told to. */
  readonly atServer: number;
}

export interface PhaseResult {
  readonly arm: Arm;
  /** From 0; each pair is two neighbouring phases. */
  readonly pair: number;
  /** In the order in which they were due; those of the lead-in are left out. */
  readonly orders: readonly MeasuredOrder[];
  readonly logins: LoginRates;
  readonly cpu: CpuShares;
  readonly log: LogWork;
}

export interface Measurement {
  readonly options: AcknowledgementOptions;
  readonly machine: Machine;
  /** One login when nothing else goes on, milliseconds; undefined: nobody logs in. */
  readonly quietLoginMs: number | undefined;
  readonly phases: readonly PhaseResult[];
  /** A few answers to logins that should not have come. */
  readonly loginFailures: readonly string[];
}

export const planPhases = (pairs: number): ReadonlyArray<Turn<Arm>> => interleave(pairs, ARMS);
