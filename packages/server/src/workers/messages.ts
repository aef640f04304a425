/**
 * What the primary and its workers say to each other over Node's IPC channel. A rolling restart may bring workers of another
 * version than their primary's: what one does not know it leaves alone, and a word never changes its meaning.
 */

/** What one worker wants to know of all. */
export type Question = 'health' | 'metrics';

/** Why a worker is to go: another one follows in its place, the whole server stops, or the primary has gone. */
export type LeaveReason = 'restart' | 'stop' | 'orphaned';

/** `starting`: not ready yet. `leaving`: told to go. `away`: it ended and is started again in a moment. */
export type WorkerState = 'starting' | 'ready' | 'leaving' | 'away';

export interface WorkerReport {
  /** From 1. */
  readonly worker: number;
  readonly state: WorkerState;
  /** How often it ended without having been told to, since the primary started. */
  readonly crashes: number;
  /** Absent when it gave none in time. */
  readonly answer?: unknown;
}

export interface Gathered {
  readonly workers: readonly WorkerReport[];
  /** The primary's own. */
  readonly primary?: unknown;
}

export type FromPrimary =
  | { readonly fest: 'leave'; readonly why: LeaveReason }
  | { readonly fest: 'ask'; readonly id: number; readonly what: Question }
  /** Whether any worker takes more connections. */
  | { readonly fest: 'room'; readonly isThere: boolean }
  | { readonly fest: 'gathered'; readonly id: number; readonly gathered: Gathered };

export type FromWorker =
  | { readonly fest: 'ready' }
  /** Whether it takes more connections; what it says holds for a moment only. */
  | { readonly fest: 'room'; readonly hasRoom: boolean }
  /** It has heard the question, and looks for the answer. */
  | { readonly fest: 'heard'; readonly id: number }
  /** Without one when there is none. */
  | { readonly fest: 'answer'; readonly id: number; readonly answer?: unknown }
  | { readonly fest: 'gather'; readonly id: number; readonly what: Question };

/** Whether a message is one of ours; the channel carries others too. */
export function isOurs(message: unknown): message is { readonly fest: string } {
  return typeof message === 'object' && message !== null && 'fest' in message && typeof message.fest === 'string';
}
