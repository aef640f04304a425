import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import { currentRequestId, inRequest, traced } from './request-context.ts';
import type { TraceSpan } from './tracing.ts';

/** Writes down what happens to it and to its children. */
function recordedSpan(events: string[], name = 'request'): TraceSpan {
  return {
    traceId: '0'.repeat(32),
    child(child, attributes) {
      events.push(`${child} begins ${JSON.stringify(attributes)}`);
      return recordedSpan(events, child);
    },
    set: () => undefined,
    fail: (error) => void events.push(`${name} fails: ${String(error)}`),
    end: () => void events.push(`${name} ends`),
  };
}

test('work that goes on in the background still knows the request, and others do not', async () => {
  let background: Promise<string | undefined> | undefined;
  await inRequest({ id: 'first', beganMs: performance.now() }, async () => {
    background = sleep(5).then(() => currentRequestId());
  });
  expect(currentRequestId()).toBeUndefined();
  expect(await background).toBe('first');
});

test('a step is told to the trace with what it is, also when it fails', async () => {
  const events: string[] = [];
  const context = { id: 'one', span: recordedSpan(events), beganMs: performance.now() };
  await inRequest(context, async () => {
    expect(
      await traced(
        'redis',
        async () => 5,
        () => ({ script: 'take-hold' }),
      ),
    ).toBe(5);
    await expect(traced('mysql', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });
  expect(events).toEqual([
    'redis begins {"script":"take-hold"}',
    'redis ends',
    'mysql begins {}',
    'mysql fails: Error: away',
    'mysql ends',
  ]);
});

test('a request that is not traced makes no attributes', async () => {
  let made = 0;
  const attributes = (): Record<string, number> => ({ made: ++made });
  await inRequest({ id: 'one', beganMs: performance.now() }, () => traced('redis', async () => 1, attributes));
  await traced('redis', async () => 1, attributes);
  expect(made).toBe(0);
});

test('what a request began and never ends is no part of its trace for ever', async () => {
  const events: string[] = [];
  const context = { id: 'one', span: recordedSpan(events), beganMs: performance.now() - LIMITS.traceMs - 1 };
  await inRequest(context, () => traced('redis', async () => 1));
  expect(events).toEqual([]);
});
