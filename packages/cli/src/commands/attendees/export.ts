import { attendeesList } from '@fest/server/contract/list-names';
import { pathOf } from '@fest/server/contract/paths';
import type { Attendee, AttendeePage } from '@fest/server/contract/schemas';
import { encodeCursor } from '@fest/server/platform/page-cursor';
import type { Context } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import type { ExportShape, ListPlace } from '../../exporting/export-format.ts';
import type { ExportOptions } from '../../exporting/export-options.ts';
import { ExportRun } from '../../exporting/export-run.ts';
import { writeDocument } from '../../render/document.ts';
import { count } from '../../render/values.ts';
import { callApiAuthenticated } from '../../session.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import { parseFestivalId } from './festival-id.ts';

/** The most a page has. */
const PAGE_ATTENDEES = 100;

export const ATTENDEE_SHAPE: ExportShape<Attendee> = {
  schema: 'fest.attendee/1',
  numberColumn: 'ticketNumber',
  columns: [
    ['saleId', ({ saleId }) => saleId],
    ['saleName', ({ saleName }) => saleName],
    ['ticketNumber', ({ ticketNumber }) => ticketNumber],
    ['orderId', ({ orderId }) => orderId],
    ['name', ({ name }) => name],
    ['email', ({ email }) => email],
    ['checkedInAt', ({ checkedInAt }) => checkedInAt],
  ],
  place: ({ saleId, ticketNumber }) => ({ saleId, number: ticketNumber }),
};

/** `fest attendees export`: tickets of a festival that were sold, by sale and number, as they are read. */
export async function runAttendeesExport(context: Context, id: string, options: ExportOptions): Promise<ExitCode> {
  const festivalId = parseFestivalId(id);
  const settings = await loadSettings(context, options);
  return ExportRun.of(context, options, ATTENDEE_SHAPE, async (run) => {
    let hasMore = true;
    while (hasMore && !run.isUnread) {
      const page = await run.ask(() => readPage(context, settings, festivalId, run.place));
      await run.write(page.items);
      hasMore = page.nextCursor !== null;
    }
    const { written } = run;
    if (options.json === true && options.output !== undefined) {
      writeDocument(context.stdout, 'fest.attendees-export/1', { file: options.output, lines: written, festivalId });
    }
    if (!run.isUnread) context.stderr.write(`${count(written, 'ticket')} written.\n`);
    return EXIT.done;
  });
}

function readPage(
  context: Context,
  settings: Settings,
  festivalId: number,
  after: ListPlace | undefined,
): Promise<AttendeePage> {
  const query = new URLSearchParams({ limit: String(PAGE_ATTENDEES) });
  if (after !== undefined) query.set('cursor', encodeCursor(attendeesList(festivalId), [after.saleId, after.number]));
  const path = `${pathOf('festivalAttendees', { festivalId })}?${query}`;
  // The server serializes by the contract's schema, so the answer has its form.
  return callApiAuthenticated(context, settings, { method: 'GET', path }, 'staff') as Promise<AttendeePage>;
}
