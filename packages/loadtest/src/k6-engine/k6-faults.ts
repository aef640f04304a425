/** What the end of k6 means for the result. */
import type { BenchFault } from '../bench/result.ts';
import type { K6Summary } from './k6-summary.ts';

/** Exit codes of k6 (`errext/exitcodes` in its source). */
export const K6_EXIT = {
  thresholdsCrossed: 99,
  setupTimeout: 100,
  teardownTimeout: 101,
  timeout: 102,
  stoppedByApi: 103,
  invalidConfig: 104,
  aborted: 105,
  apiNotStarted: 106,
  scriptException: 107,
  scriptAborted: 108,
  goPanic: 109,
  markedAsFailed: 110,
} as const;

const MEANINGS: Readonly<Record<number, string>> = {
  [K6_EXIT.setupTimeout]: 'setup took too long',
  [K6_EXIT.teardownTimeout]: 'teardown took too long',
  [K6_EXIT.timeout]: 'something took too long',
  [K6_EXIT.stoppedByApi]: 'it was stopped through its API',
  [K6_EXIT.invalidConfig]: 'its options are not valid',
  [K6_EXIT.aborted]: 'it was told to stop by a signal that did not come from here',
  [K6_EXIT.scriptException]: 'the script threw outside of a visit',
  [K6_EXIT.scriptAborted]: 'the script ended the test',
  [K6_EXIT.goPanic]: 'it crashed',
  [K6_EXIT.markedAsFailed]: 'the script called the test failed',
};

export interface K6End {
  /** Null: ended by a signal. */
  readonly exitCode: number | null;
  readonly exitSignal: NodeJS.Signals | null;
  /** We told it to stop. */
  readonly abortedByUs: boolean;
  /** It did not stop, and was killed. */
  readonly killedByUs: boolean;
  /** Last errors of its log; may be empty. */
  readonly reason: string;
  readonly exceptions: { readonly count: number; readonly first: string | undefined };
  /** Undefined: it has left none. */
  readonly summary: K6Summary | undefined;
  /** What its samples add up to. */
  readonly seen: { readonly requests: number; readonly iterations: number };
  readonly nameless: { readonly requests: number; readonly example: string };
}

/** Why the run is not to be trusted, or did not take place. Thresholds are results, and none of these. */
export function faultsOf(end: K6End): readonly BenchFault[] {
  return [endFault(end), exceptionFault(end), countFault(end), namelessFault(end)].flatMap((message) =>
    message === undefined ? [] : [{ code: 'k6' as const, message }],
  );
}

function endFault(end: K6End): string | undefined {
  const { exitCode, exitSignal, abortedByUs, killedByUs, reason, summary } = end;
  const because = reason === '' ? '' : `: ${reason}`;
  if (killedByUs) return `k6 did not stop when it was told to, and was killed${because}`;
  if (abortedByUs && (exitCode === K6_EXIT.aborted || endedBeforeItListened(end))) return undefined;
  if (exitCode === null) return `k6 was ended by ${exitSignal ?? 'a signal'}${because}`;
  if (exitCode === 0 || exitCode === K6_EXIT.thresholdsCrossed) {
    return summary === undefined ? `k6 has left no summary, so no threshold is known${because}` : undefined;
  }
  return `k6 ended with ${exitCode} (${MEANINGS[exitCode] ?? 'it does not say what that means'})${because}`;
}

/** What a shell, and the client of a container, make of a program that SIGINT has ended. */
const ENDED_BY_SIGINT = 130;

/** k6 listens to signals once script and data are loaded: one that comes before ends it, as it would any program. */
function endedBeforeItListened({ exitCode, exitSignal }: K6End): boolean {
  return (exitCode === null && exitSignal === 'SIGINT') || exitCode === ENDED_BY_SIGINT;
}

/** A visit that throws ends there, and k6 goes on as if nothing had been. */
function exceptionFault({ exitCode, exceptions }: K6End): string | undefined {
  const { count, first = '' } = exceptions;
  // Then it is what the run ended with, and has been said.
  const others = exitCode === K6_EXIT.scriptException ? count - 1 : count;
  if (others <= 0) return undefined;
  return `the script threw ${others} ${others === 1 ? 'time' : 'times'}: ${first}`;
}

function countFault({ summary, seen }: K6End): string | undefined {
  const { requests = 0, iterations = 0 } = summary ?? {};
  if (summary === undefined || (requests === seen.requests && iterations === seen.iterations)) return undefined;
  return `k6 counted ${requests} requests and ${iterations} visits, its samples are ${seen.requests} and ${seen.iterations}: the figures are not to be trusted`;
}

function namelessFault({ nameless: { requests, example } }: K6End): string | undefined {
  if (requests === 0) return undefined;
  return `${requests} requests are of no known endpoint, such as ${example || 'one without a name'}: the script has to name them`;
}
