/**
 * What is known of the request that the running code works for, also where it goes on in the background, as payments do. It is
 * handed on by Node (`AsyncLocalStorage`), so that stores and the order log need no argument for it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { LIMITS } from '../limits.ts';
import type { TraceSpan } from './tracing.ts';

export interface RequestContext {
  readonly id: string;
  /** Of a request that is traced. */
  readonly span?: TraceSpan | undefined;
  /** As `performance.now()`. */
  readonly beganMs: number;
}

const contexts = new AsyncLocalStorage<RequestContext>();

export function inRequest<Result>(context: RequestContext, work: () => Result): Result {
  return contexts.run(context, work);
}

/** Undefined in what belongs to no request: timers of the server, its start. */
export function currentRequestId(): string | undefined {
  return contexts.getStore()?.id;
}

/**
 * Runs one step of a request, and tells its trace how long it took and whether it failed. Costs next to nothing for a request
 * that is not traced.
 * @param attributes are made only for a trace
 */
export function traced<Result>(
  name: string,
  work: () => Promise<Result>,
  attributes?: () => Readonly<Record<string, string | number>>,
): Promise<Result> {
  const context = contexts.getStore();
  if (context?.span === undefined || isOver(context)) return work();
  return inSpan(context.span.child(name, attributes?.() ?? {}), work);
}

async function inSpan<Result>(span: TraceSpan, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** Something that a request began and that goes on for ever belongs to no request any more. */
function isOver({ beganMs }: RequestContext): boolean {
  return performance.now() - beganMs > LIMITS.traceMs;
}
