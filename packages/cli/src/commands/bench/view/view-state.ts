/** What the live view of a load test knows, and what comes of a key. Pure. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import type { Theme } from '../../../tui/theme.ts';
import { VIEW_LIMITS } from './limits.ts';

export interface ViewState {
  /** Undefined: nothing was told yet. */
  readonly progress: BenchProgress | undefined;
  /** What was said beside it, oldest first. */
  readonly lines: readonly string[];
  /** When it was asked to end. */
  readonly quitAtMs: number | undefined;
}

export interface View {
  readonly state: ViewState;
  readonly theme: Theme;
  readonly columns: number;
  readonly rows: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

export const INITIAL_STATE: ViewState = { progress: undefined, lines: [], quitAtMs: undefined };

export function takeProgress(state: ViewState, progress: BenchProgress): ViewState {
  return { ...state, progress };
}

export function takeLine(state: ViewState, text: string): ViewState {
  return { ...state, lines: [...state.lines, text].slice(-VIEW_LIMITS.linesMax) };
}

export interface Pressed {
  readonly state: ViewState;
  /** `quit`: end in order. `leave`: at once, the second time. */
  readonly effect: 'none' | 'quit' | 'leave';
}

const QUIT_KEYS: ReadonlySet<string> = new Set(['q', 'Q', '<ctrl+c>']);

/** @param nowMs a press that arrives twice at nearly the same time is one */
export function takeKey(state: ViewState, name: string, nowMs: number): Pressed {
  if (!QUIT_KEYS.has(name)) return { state, effect: 'none' };
  if (state.quitAtMs === undefined) return { state: { ...state, quitAtMs: nowMs }, effect: 'quit' };
  return { state, effect: nowMs - state.quitAtMs < VIEW_LIMITS.samePressMs ? 'none' : 'leave' };
}
