/** Reading from a source that may be away. */
import type { SourceState } from './evidence.ts';

/** What cannot be reached is a fact about the audit, not its end. */
export async function attempt(work: () => Promise<void>): Promise<SourceState> {
  try {
    await work();
    return { state: 'read' };
  } catch (error) {
    return { state: 'unreachable', why: describe(error) };
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
