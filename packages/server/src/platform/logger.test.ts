import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

const CONFIG = { logLevel: 'info', serverName: 'server-7', environment: 'staging' } as const;

function linesOf(work: (logger: ReturnType<typeof createLogger>) => void): readonly Record<string, unknown>[] {
  const lines: string[] = [];
  work(createLogger(CONFIG, {}, { write: (line) => void lines.push(line) }));
  expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line is one JSON object with its time, its level as a word, and whose it is', () => {
  const [line] = linesOf((logger) => logger.warn({ saleId: 7 }, 'a store was away'));
  expect(line).toMatchObject({
    level: 'warn',
    service: 'fest',
    environment: 'staging',
    server: 'server-7',
    saleId: 7,
    msg: 'a store was away',
  });
  expect(String(line?.time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('an error stays on its line, with its stack and its cause', () => {
  const error = new Error('no answer\nfrom the store', { cause: new Error('the socket closed') });
  const [line, ...more] = linesOf((logger) => logger.error({ err: error }, 'failed'));
  expect(more).toEqual([]);
  expect(line?.err).toMatchObject({ type: 'Error', message: expect.stringContaining('the socket closed') });
});
