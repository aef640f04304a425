/** The header `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/), version 00. */

export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whoever sent the request records this trace. */
  readonly sampled: boolean;
}

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined for none, and for one that says nothing. */
export function parentOf(header: string | string[] | undefined): TraceParent | undefined {
  const [, traceId, spanId, flags] = typeof header === 'string' ? (FORM.exec(header) ?? []) : [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
