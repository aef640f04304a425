import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openTelemetry } from './opentelemetry.ts';

type Exported = Parameters<SpanExporter['export']>[0][number];

function collecting(): { readonly spans: Exported[]; readonly tracing: ReturnType<typeof openTelemetry> } {
  const spans: Exported[] = [];
  const tracing = openTelemetry({
    tracesUrl: '',
    tracesShare: 1,
    serverName: 'one',
    environment: 'test',
    logger: pino({ enabled: false }),
    random: () => 0,
    exporter: {
      export(batch, done) {
        spans.push(...batch);
        done({ code: 0 });
      },
      shutdown: async () => undefined,
    },
  });
  return { spans, tracing };
}

const REQUEST = { method: 'POST', route: '/api/v1/accounts', requestId: 'r-1', headers: {} };

test.each([
  [
    'a code of its own',
    Object.assign(new Error("Duplicate entry 'ada@example.org'"), { code: 'ER_DUP_ENTRY' }),
    'ER_DUP_ENTRY',
  ],
  ['no code', new TypeError('ada@example.org is no address'), 'TypeError'],
  ['what is no error', 'ada@example.org', 'unknown'],
])('a step that failed with %s tells what it was, and no value', async (_, error, type) => {
  const { spans, tracing } = collecting();
  const root = tracing.begin(REQUEST);
  const step = root?.child('mysql', { 'db.system.name': 'mysql' });
  step?.fail(error);
  step?.end();
  root?.end();
  await tracing.stop();
  expect(spans.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
    ['mysql', type],
    ['POST /api/v1/accounts', undefined],
  ]);
  expect(spans[0]?.status.code).toBe(2);
  expect(JSON.stringify(spans.map(({ attributes, status, events }) => [attributes, status, events]))).not.toContain(
    'ada@',
  );
});

test('what this process does by itself is no call of another service', async () => {
  const { spans, tracing } = collecting();
  const root = tracing.begin(REQUEST);
  for (const name of ['order-log append', 'redis take-hold']) root?.child(name, {}).end();
  root?.end();
  await tracing.stop();
  // Of OpenTelemetry's numbers: internal, client, server.
  expect(spans.map(({ kind }) => kind)).toEqual([0, 2, 1]);
});
