/** Where the servers of a load test are, as seen from k6. Pure. */
import type { BenchResult } from '@fest/loadtest/bench/result';

type Target = Pick<BenchResult['target'], 'local' | 'sameMachine'>;

/** They share the processors with k6. Earlier results say it of the stack of the folder only. */
export function isSameMachine({ local, sameMachine }: Target): boolean {
  return sameMachine ?? local;
}

/** A part of a sentence. */
export function describePlace(target: Target): string {
  if (!isSameMachine(target)) return 'from another machine';
  return target.local
    ? 'on one machine with its generator'
    : 'on one machine with its generator, not the stack of the folder';
}
