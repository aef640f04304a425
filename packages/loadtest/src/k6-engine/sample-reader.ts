/**
 * Reads the samples that `k6 run --out csv` writes to its standard output, one a line. A request makes nine, of which one is of use
 * here, and two more when it opened a connection: the others are told apart by a few bytes, and neither decoded nor split.
 */
import { K6_LIMITS } from './limits.ts';

/** What `SampleReader` reads. Times have to be more exact than the whole seconds that are the default. */
export const SAMPLE_OUTPUT = 'csv=fileName=-,timeFormat=unix_milli,saveInterval=200ms';

/** One value of one metric. */
export interface Sample {
  readonly metric: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly value: number;
  /** Without those that are empty. */
  readonly tags: Readonly<Record<string, string | undefined>>;
}

export interface SampleListener {
  sample(sample: Sample): void;
  /** A line that is none: the summary at the end, or the rest of a line when k6 was killed in the middle. */
  other(line: string): void;
}

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const HEADER = 'metric_name,timestamp,metric_value,';
/** Columns before those of tags. */
const FIXED_COLUMNS = 3;
/** Holds tags of the script's own, as `outcome=bought&attack=replay`. */
const EXTRA_COLUMN = 'extra_tags';
const METADATA_COLUMN = 'metadata';
/** Of a sample nobody asked for: a metric, a time and a value. */
const ANY_SAMPLE = /^[a-z]\w*,\d+,-?\d+\.\d+,/;

const HTTP = Buffer.from('http_req');
const UNDERSCORE = 0x5f;
const LETTER_B = 0x62;
const LETTER_C = 0x63;
const LETTER_D = 0x64;
const CONNECTING = 'http_req_connecting';
/** The value of a request that found a connection. */
const NOTHING = Buffer.from(',0.000000,');

export class SampleReader {
  readonly #wanted: ReadonlySet<string>;
  readonly #listener: SampleListener;
  /** Of the header, which is the first line; null before it has come. */
  #columns: readonly string[] | null = null;
  /** Metrics that were seen, and are not wanted. */
  readonly #unwanted = new Set<string>();
  /** The last `http_req_blocked`: that of the request whose `http_req_connecting` comes next. */
  #blocked: Buffer | undefined;
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
    if (rest !== undefined) this.#listener.other(rest.toString());
  }

  #line(bytes: Buffer, start: number, end: number): void {
    if (this.#columns !== null && isDetailOfRequest(bytes, start)) {
      this.#detail(bytes, start, end);
      return;
    }
    const nameEnd = bytes.indexOf(COMMA, start);
    const metric = nameEnd === -1 || nameEnd > end ? '' : bytes.toString('latin1', start, nameEnd);
    if (this.#unwanted.has(metric)) return;
    const line = bytes.toString('utf8', start, end);
    const sample = this.#wanted.has(metric) ? this.#sampleOf(line) : undefined;
    if (sample !== undefined) this.#listener.sample(sample);
    else if (this.#columns === null && line.startsWith(HEADER)) this.#columns = line.split(',');
    else if (!this.#wanted.has(metric) && ANY_SAMPLE.test(line)) this.#unwanted.add(metric);
    else this.#listener.other(line);
  }

  /** How long a request waited for its connection is of use where it opened one. k6 writes `blocked` before `connecting`. */
  #detail(bytes: Buffer, start: number, end: number): void {
    const letter = bytes[start + HTTP.length + 1];
    if (letter === LETTER_B) this.#blocked = bytes.subarray(start, end);
    if (letter !== LETTER_C) return;
    const nothing = bytes.indexOf(NOTHING, start);
    if ((nothing !== -1 && nothing < end) || !this.#wanted.has(CONNECTING)) return;
    const sample = this.#sampleOf(bytes.toString('utf8', start, end));
    const blocked = Number(this.#blocked?.toString('latin1').split(',', FIXED_COLUMNS)[2]);
    if (sample !== undefined) this.#listener.sample({ ...sample, value: Math.max(sample.value, blocked || 0) });
  }

  #sampleOf(line: string): Sample | undefined {
    const columns = this.#columns;
    const fields = line.includes('"') ? splitQuoted(line) : line.split(',');
    if (columns === null || fields.length !== columns.length) return undefined;
    const [metric = '', time, amount] = fields;
    const atMs = Number(time);
    const value = Number(amount);
    if (!(atMs > 0) || Number.isNaN(value)) return undefined;
    const tags: Record<string, string> = {};
    for (let index = FIXED_COLUMNS; index < columns.length; index += 1) {
      const [column = '', field = ''] = [columns[index], fields[index]];
      if (field === '' || column === METADATA_COLUMN) continue;
      if (column === EXTRA_COLUMN) addExtra(tags, field);
      else tags[column] = field;
    }
    return { metric, atMs, value, tags };
  }
}

/** `http_reqs`, and every `http_req_…` but `http_req_duration`. */
function isDetailOfRequest(bytes: Buffer, start: number): boolean {
  for (let index = 0; index < HTTP.length; index += 1) {
    if (bytes[start + index] !== HTTP[index]) return false;
  }
  return bytes[start + HTTP.length] !== UNDERSCORE || bytes[start + HTTP.length + 1] !== LETTER_D;
}

/** What has a comma or a quote in it is in quotes, and its quotes are doubled (RFC 4180). */
function splitQuoted(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

function addExtra(tags: Record<string, string>, extra: string): void {
  for (const pair of extra.split('&')) {
    const middle = pair.indexOf('=');
    if (middle > 0) tags[pair.slice(0, middle)] = pair.slice(middle + 1);
  }
}
