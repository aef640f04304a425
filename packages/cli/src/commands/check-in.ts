import { randomUUID } from 'node:crypto';
import { pathOf } from '@fest/server/contract/paths';
import type { CheckIn } from '@fest/server/contract/schemas';
import type { Context, GlobalOptions } from '../context.ts';
import { FixableError, InterruptedError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { askPatiently } from '../exporting/patient-api.ts';
import { isRecord } from '../private-files.ts';
import { tellEnvironment } from '../prompt.ts';
import { writeDocument } from '../render/document.ts';
import { jsonLine, printable } from '../render/printable.ts';
import { createStyle } from '../render/style.ts';
import { count } from '../render/values.ts';
import { callApiAuthenticated } from '../session.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { readLines } from '../stdin-lines.ts';
import { createStopSwitch, type StopSwitch } from '../stop-switch.ts';

/** What became of one scan of many. */
type ScanOutcome =
  | { readonly status: 'checkedIn'; readonly ticket: CheckIn }
  | { readonly status: 'alreadyCheckedIn' | 'refused'; readonly error: FixableError };

type Tally = Record<ScanOutcome['status'], number>;

/** `fest check-in <code>`: one ticket, or with `-` one a line of standard input. */
export async function runCheckIn(context: Context, code: string, options: GlobalOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  tellEnvironment(context, settings.environment);
  const stop = createStopSwitch(context);
  const scan = (text: string): Promise<CheckIn> => checkIn(context, settings, stop, text);
  try {
    return code === '-'
      ? await checkInMany(context, options, stop, scan)
      : await checkInOne(context, options, scan, code);
  } finally {
    stop.dispose();
  }
}

type Scan = (code: string) => Promise<CheckIn>;

/** The same key each time it is asked: a scan whose answer was lost is not a second visitor. */
function checkIn(context: Context, settings: Settings, stop: StopSwitch, code: string): Promise<CheckIn> {
  const request = { method: 'POST', path: pathOf('checkIns'), body: { code }, idempotencyKey: randomUUID() } as const;
  const onWait = (why: string) => context.stderr.write(`${why}; asking again.\n`);
  // The server serializes by the contract's schema, so the answer has its form.
  const ask = () => callApiAuthenticated(context, settings, request, 'staff') as Promise<CheckIn>;
  return askPatiently(ask, { signal: stop.signal, onWait });
}

async function checkInOne(context: Context, options: GlobalOptions, scan: Scan, code: string): Promise<ExitCode> {
  const ticket = await scan(code);
  if (options.json === true) writeDocument(context.stdout, 'fest.check-in/1', { ticket });
  else context.stdout.write(`${describeTicket(ticket)}\n`);
  return EXIT.done;
}

async function checkInMany(context: Context, options: GlobalOptions, stop: StopSwitch, scan: Scan): Promise<ExitCode> {
  const tally: Tally = { checkedIn: 0, alreadyCheckedIn: 0, refused: 0 };
  const interrupted = stop.pressed.then(() => ({ done: true, value: undefined }) as const);
  const lines = readLines(context);
  for (let line = 1; ; line += 1) {
    const next = await Promise.race([lines.next(), interrupted]);
    if (next.done === true) break;
    const code = parseCode(next.value);
    if (code === '') continue;
    const outcome = await scanOne(scan, code);
    tally[outcome.status] += 1;
    context.stdout.write(
      options.json === true ? renderScanDocument(line, outcome) : renderScan(context, line, outcome),
    );
    await context.stdout.flush?.();
  }
  if (options.json === true) context.stdout.write(jsonLine({ schema: 'fest.check-in-summary/1', ...tally }));
  else context.stderr.write(describeTally(tally));
  if (stop.signal.aborted) throw new InterruptedError();
  return tally.alreadyCheckedIn + tally.refused > 0 ? EXIT.partlyDone : EXIT.done;
}

/** A line is a code, or a JSON document with one. */
function parseCode(line: string): string {
  const text = line.trim();
  if (!text.startsWith('{')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && typeof value.code === 'string' ? value.code : text;
  } catch {
    // Then the server says what is wrong with it.
    return text;
  }
}

/** What the server says about one ticket is told, and the next one is tried; all else ends it. */
async function scanOne(scan: Scan, code: string): Promise<ScanOutcome> {
  try {
    return { status: 'checkedIn', ticket: await scan(code) };
  } catch (error) {
    if (!(error instanceof FixableError)) throw error;
    switch (error.details.problemCode) {
      case 'already_checked_in':
        return { status: 'alreadyCheckedIn', error };
      case 'bad_ticket_code':
      case 'validation_failed':
        return { status: 'refused', error };
      default:
        throw error;
    }
  }
}

function renderScan(context: Context, line: number, outcome: ScanOutcome): string {
  const style = createStyle(context.colour.stdout);
  if (outcome.status === 'checkedIn') return `${line}  ${style.green('ok')}       ${describeTicket(outcome.ticket)}\n`;
  const { what, why } = outcome.error.details;
  return `${line}  ${style.red('refused')}  ${printable(`${what}: ${why ?? ''}`)}\n`;
}

function renderScanDocument(line: number, outcome: ScanOutcome): string {
  const schema = 'fest.check-in-scan/1';
  if (outcome.status === 'checkedIn') return jsonLine({ schema, line, status: outcome.status, ticket: outcome.ticket });
  const { what, why, problemCode } = outcome.error.details;
  return jsonLine({ schema, line, status: outcome.status, what, why, problemCode });
}

function describeTicket({ ticketNumber, saleId, name, checkedInAt }: CheckIn): string {
  return `ticket ${ticketNumber} of sale ${saleId}, ${printable(name)}, checked in at ${checkedInAt}`;
}

function describeTally({ checkedIn, alreadyCheckedIn, refused }: Tally): string {
  const others = `${alreadyCheckedIn} checked in already, ${refused} refused`;
  return `${count(checkedIn, 'ticket')} checked in, ${others}.\n`;
}
