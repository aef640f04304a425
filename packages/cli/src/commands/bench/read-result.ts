/** Reads the result of a load test from its file, and believes nothing of it that was not looked at. */
import { readFileSync } from 'node:fs';
import { BENCH_RESULT_FORMAT, type BenchResult } from '@fest/loadtest/bench/result';
import { codeOf, FixableError, messageOf } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { isRecord } from '../../private-files.ts';
import { aBenchResult } from './result-shape.ts';

export type ParsedResult =
  | { readonly status: 'result'; readonly result: BenchResult }
  | { readonly status: 'unreadable'; readonly why: string; readonly fix: string };

const OF_OWN = 'Use a result.json that fest bench has written, as it is.';

export function parseResult(text: string): ParsedResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { status: 'unreadable', why: `it is not JSON: ${messageOf(error)}`, fix: OF_OWN };
  }
  const format = isRecord(value) ? value.format : undefined;
  if (format !== BENCH_RESULT_FORMAT) return foreign(format);
  const fault = aBenchResult(value, '');
  if (fault !== undefined) return { status: 'unreadable', why: `${fault}: it is broken, or was changed`, fix: OF_OWN };
  return { status: 'result', result: value as BenchResult };
}

function foreign(format: unknown): ParsedResult {
  const versionOf = (text: unknown): number => Number(/^fest\.bench-result\/(\d+)$/.exec(String(text))?.[1]);
  const version = versionOf(format);
  if (Number.isNaN(version)) return { status: 'unreadable', why: 'it is no result of a load test', fix: OF_OWN };
  const isNewer = version > versionOf(BENCH_RESULT_FORMAT);
  return {
    status: 'unreadable',
    why: `it has the format ${String(format)}, this fest knows ${BENCH_RESULT_FORMAT}`,
    fix: isNewer
      ? 'A newer fest wrote it: use that, or a newer one.'
      : 'An older fest wrote it: use that, or run it again.',
  };
}

/** @throws FixableError when it cannot be read, or is no result this `fest` knows */
export function readResult(path: string): BenchResult {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new FixableError({
      what: `${path} cannot be read`,
      why: codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error),
      fix: 'fest bench list names the results there are.',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
  const parsed = parseResult(text);
  if (parsed.status === 'result') return parsed.result;
  throw new FixableError({ what: `${path} cannot be used`, why: parsed.why, fix: parsed.fix, exitCode: EXIT.usage });
}
