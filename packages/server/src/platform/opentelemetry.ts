/**
 * Traces by OpenTelemetry, sent as OTLP over HTTP. By hand instead of by its instrumentations: these patch modules when they are
 * loaded, follow every poll, and know neither our scripts nor the order log.
 */
import {
  type Attributes,
  type Context,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { LIMITS } from '../limits.ts';
import { withDeadline } from './deadline.ts';
import { parentOf } from './trace-parent.ts';
import { TraceSampler } from './trace-sampler.ts';
import type { BegunRequest, TraceSpan, Tracing } from './tracing.ts';

export interface OpenTelemetryOptions {
  readonly tracesUrl: string;
  readonly tracesShare: number;
  readonly serverName: string;
  readonly environment: string;
  readonly logger: Logger;
  readonly random: () => number;
  /** In place of the one that sends. For tests. */
  readonly exporter?: SpanExporter;
}

export function openTelemetry(options: OpenTelemetryOptions): Tracing {
  const { tracesUrl, serverName, environment, logger, random, exporter } = options;
  tellTroubles(logger);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'fest',
      'service.instance.id': serverName,
      'deployment.environment.name': environment,
    }),
    // Decided before a span is made: a request that is not traced costs none.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: exporter ?? new OTLPTraceExporter({ url: tracesUrl, timeoutMillis: LIMITS.traceExportMs }),
        maxQueueSize: LIMITS.traceSpansWaiting,
        scheduledDelayMillis: LIMITS.traceBatchMs,
        exportTimeoutMillis: LIMITS.traceExportMs,
      }),
    ],
  });
  const tracer = provider.getTracer('fest');
  const sampler = new TraceSampler({ share: options.tracesShare, random, nowMs: () => performance.now() });

  function spanIn(span: Span, context: Context): TraceSpan {
    const inside = trace.setSpan(context, span);
    return {
      traceId: span.spanContext().traceId,
      child(name, attributes) {
        // What stays in this process is no service that it calls.
        const kind = isLocal(name) ? SpanKind.INTERNAL : SpanKind.CLIENT;
        return spanIn(tracer.startSpan(name, { kind, attributes }, inside), inside);
      },
      set: (attributes) => void span.setAttributes(attributes),
      fail(error) {
        // No message: a store's names the value that it refused, which may be somebody's address.
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', typeOf(error));
      },
      end: () => span.end(),
    };
  }

  return {
    begin({ method, route, requestId, headers }: BegunRequest) {
      const parent = parentOf(headers.traceparent);
      if (!sampler.takes(parent?.sampled === true)) return undefined;
      const context =
        parent === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId: parent.traceId,
              spanId: parent.spanId,
              traceFlags: TraceFlags.SAMPLED,
              isRemote: true,
            });
      const attributes: Attributes = {
        'http.request.method': method,
        'http.route': route,
        'fest.request.id': requestId,
      };
      return spanIn(tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, context), context);
    },
    async stop() {
      const late = () => new Error(`the traces were not taken within ${LIMITS.traceExportMs} ms`);
      await withDeadline(provider.shutdown(), LIMITS.traceExportMs, late).catch((error: unknown) =>
        logger.warn({ err: error }, 'the last traces were not sent'),
      );
      diag.disable();
    },
  };
}

const isLocal = (name: string): boolean => name.startsWith('order-log ');

/** A code where there is one (`ER_DUP_ENTRY`, `ECONNRESET`), which says more than the class. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** A collector that is away is worth one line now and then, and no more. */
function tellTroubles(logger: Logger): void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  const say = (message: string): void => {
    if (performance.now() - saidAtMs < LIMITS.traceTroubleMs) return;
    saidAtMs = performance.now();
    logger.warn({ reason: message }, 'traces cannot be sent');
  };
  const quiet = (): void => undefined;
  diag.setLogger(
    { error: say, warn: say, info: quiet, debug: quiet, verbose: quiet },
    { suppressOverrideMessage: true },
  );
}
