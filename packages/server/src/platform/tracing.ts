/** Traces as the server sees them. Without `FEST_TRACES_URL` there are none, and nothing of OpenTelemetry is loaded. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';

/** One step of a request's way. */
export interface TraceSpan {
  /** The trace's id, 32 hexadecimal digits. */
  readonly traceId: string;
  child(name: string, attributes: Readonly<Record<string, string | number>>): TraceSpan;
  set(attributes: Readonly<Record<string, string | number>>): void;
  fail(error: unknown): void;
  end(): void;
}

export interface BegunRequest {
  readonly method: string;
  /** A pattern, never a path. */
  readonly route: string;
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Tracing {
  /** The span of a request from its beginning; undefined for one that is not among those that are traced. */
  begin(request: BegunRequest): TraceSpan | undefined;
  /** Sends what is not sent yet, as far as there is somebody who takes it. */
  stop(): Promise<void>;
}

export async function openTracing(
  config: Pick<Config, 'tracesUrl' | 'tracesShare' | 'serverName' | 'environment'>,
  logger: Logger,
): Promise<Tracing | undefined> {
  if (config.tracesUrl === '') return undefined;
  const { openTelemetry } = await import('./opentelemetry.ts');
  return openTelemetry({ ...config, logger, random: Math.random });
}
