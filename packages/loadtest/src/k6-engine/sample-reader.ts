/**
 * Reads the samples that `k6 run --out json` writes to its standard output, one JSON document a line. A request makes nine, of
 * which one is of use here: the others are told apart by a few bytes, and neither decoded nor parsed.
 */
import { K6_LIMITS } from './limits.ts';

/** One value of one metric. */
export interface Sample {
  readonly metric: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly value: number;
  readonly tags: Readonly<Record<string, string | undefined>>;
}

export interface SampleListener {
  sample(sample: Sample): void;
  /** A line that is none: what the script prints, and the summary at the end. */
  other(line: string): void;
}

const NEWLINE = 0x0a;
const PREFIX = Buffer.from('{"metric":"');
const HTTP = Buffer.from('http_req');
/** Where the letter after `http_req` is. */
const AFTER_HTTP = PREFIX.length + HTTP.length;
const UNDERSCORE = 0x5f;
const LETTER_D = 0x64;

export class SampleReader {
  readonly #wanted: ReadonlySet<string>;
  readonly #listener: SampleListener;
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer | undefined;

  /** @param wanted names of metrics; of others nothing is heard */
  constructor(wanted: ReadonlySet<string>, listener: SampleListener) {
    this.#wanted = wanted;
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#line(bytes, start, end);
      start = end + 1;
    }
    this.#rest = start === bytes.length ? undefined : bytes.subarray(start);
    if (this.#rest !== undefined && this.#rest.length > K6_LIMITS.lineBytes) this.end();
  }

  /** What came last, should it not have ended with a line. */
  end(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#line(rest, 0, rest.length);
  }

  #line(bytes: Buffer, start: number, end: number): void {
    if (!hasAt(bytes, PREFIX, start)) {
      this.#other(bytes, start, end);
      return;
    }
    if (isDetailOfRequest(bytes, start)) return;
    const nameStart = start + PREFIX.length;
    const nameEnd = bytes.indexOf(0x22, nameStart);
    const isWhole = nameEnd !== -1 && nameEnd < end;
    if (isWhole && !this.#wanted.has(bytes.toString('latin1', nameStart, nameEnd))) return;
    const sample = isWhole ? parseSample(bytes.toString('utf8', start, end)) : undefined;
    if (sample === undefined) this.#other(bytes, start, end);
    else this.#listener.sample(sample);
  }

  #other(bytes: Buffer, start: number, end: number): void {
    const line = bytes.toString('utf8', start, end);
    // What a metric is (its type, its thresholds) comes before its first sample.
    if (line.startsWith('{"type":"Metric"')) return;
    this.#listener.other(line);
  }
}

/** `http_reqs`, and every `http_req_…` but `http_req_duration`. */
function isDetailOfRequest(bytes: Buffer, start: number): boolean {
  if (!hasAt(bytes, HTTP, start + PREFIX.length)) return false;
  return bytes[start + AFTER_HTTP] !== UNDERSCORE || bytes[start + AFTER_HTTP + 1] !== LETTER_D;
}

function hasAt(bytes: Buffer, expected: Buffer, at: number): boolean {
  if (at + expected.length > bytes.length) return false;
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[at + index] !== expected[index]) return false;
  }
  return true;
}

/** Undefined: it is not a sample after all, as when k6 was killed in the middle of a line. */
export function parseSample(line: string): Sample | undefined {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    // Cut off.
    return undefined;
  }
  const { type, metric, data } = document as {
    readonly type?: string;
    readonly metric?: string;
    readonly data?: { readonly time?: string; readonly value?: number; readonly tags?: Sample['tags'] | null };
  };
  const atMs = Date.parse(data?.time ?? '');
  if (type !== 'Point' || metric === undefined || typeof data?.value !== 'number' || Number.isNaN(atMs))
    return undefined;
  return { metric, atMs, value: data.value, tags: data.tags ?? {} };
}
