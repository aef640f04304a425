/** The alarm on errors reads the servers' log: it has to look for what they write. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createLogger } from '@fest/server/platform/logger';
import { expect, test } from 'vitest';

const module = (file: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../infra/terraform/modules/observability', file), 'utf8');

/** The levels of a log, as its lines have them. */
const written = (...levels: readonly ('warn' | 'error' | 'fatal')[]): readonly unknown[] => {
  const lines: string[] = [];
  const config = { logLevel: 'info', serverName: 'server-1', environment: 'test' } as const;
  const logger = createLogger(config, {}, { write: (line) => void lines.push(line) });
  for (const level of levels) logger[level]('something');
  return lines.map((line) => (JSON.parse(line) as { level: unknown }).level);
};

const words = (text = ''): readonly unknown[] => [...text.matchAll(/\\"(\w+)\\"/g)].map(([, word]) => word);

test('the alarm on errors counts the lines that servers write as error and fatal', () => {
  expect(words(/pattern\s+= (.*)/.exec(module('main.tf'))?.[1])).toEqual(written('error', 'fatal'));
});

test('the dashboard shows the lines that servers write as warn, error and fatal', () => {
  expect(words(/filter level in \[(.*?)\]/.exec(module('dashboard.tf'))?.[1])).toEqual(
    written('warn', 'error', 'fatal'),
  );
});
