/** The gate: checking tickets in, and who is expected. */
import { toTimeText } from '../../contract/json-time.ts';
import { attendeesList } from '../../contract/list-names.ts';
import { ROUTES } from '../../contract/paths.ts';
import { AttendeePage, CheckIn, CheckInInput, FestivalParameters, PageQuery } from '../../contract/schemas.ts';
import type { AccessClaims } from '../../platform/access-tokens.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import { privateAnswer } from '../../platform/cache-headers.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { encodeCursor, parsePage } from '../../platform/page-cursor.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { Services } from '../../services.ts';
import { wantArchive } from '../archive/archive-wanted.ts';
import type { FestivalWithSalesRecord } from '../catalogue/catalogue.ts';
import type { Catalogue } from '../catalogue/catalogue-cache.ts';
import type { TicketCodes } from '../orders/ticket-code.ts';
import { type CheckInRefusal, explainRefusal } from './check-in.ts';
import * as store from './store.ts';

const tags = ['check-in'];

export interface CheckInRouteOptions {
  readonly services: Pick<Services, 'mysql' | 'redis' | 'clock'>;
  readonly authentication: Authentication;
  readonly catalogue: Pick<Catalogue, 'getFestival'>;
  readonly ticketCodes: TicketCodes;
}

/** `app` carries the API's path prefix. */
export function registerCheckInRoutes(app: FestApp, options: CheckInRouteOptions): void {
  registerCheckIn(app, options);
  registerAttendees(app, options);
}

function refusal(refused: CheckInRefusal): ProblemError {
  switch (refused.status) {
    case 'alreadyCheckedIn':
      return new ProblemError('already_checked_in', `It was checked in at ${toTimeText(refused.checkedInAtMs)}.`);
    case 'revoked':
      return new ProblemError('bad_ticket_code', 'The ticket is genuine, but its order was cancelled.');
    case 'notYetArchived':
      return new ProblemError(
        'store_unavailable',
        'The ticket is genuine, but its order has not reached the database yet; scan it again in a moment.',
        { retryAfterMs: 1_000 },
      );
  }
}

function registerCheckIn(app: FestApp, { services, authentication, ticketCodes }: CheckInRouteOptions): void {
  const { mysql, redis, clock } = services;
  app.route({
    method: 'POST',
    url: ROUTES.checkIns,
    config: { roles: ['staff'], idempotent: true },
    schema: { tags, summary: 'Check a ticket in', body: CheckInInput, response: { 200: CheckIn } },
    onRequest: [privateAnswer, authentication.requireRole('staff')],
    async handler(request) {
      const ticket = ticketCodes.verify(request.body.code);
      if (ticket === undefined) {
        throw new ProblemError('bad_ticket_code', 'The code was not made by this ticket office.');
      }
      const nowMs = clock.nowMs();
      if (!(await store.marksCheckedIn(mysql, ticket, { staffId: accountOf(request).accountId, nowMs }))) {
        const refused = explainRefusal(await store.findTicket(mysql, ticket));
        if (refused.status === 'notYetArchived') void wantArchive(redis);
        throw refusal(refused);
      }
      const { saleId, ticketNumber, orderId } = ticket;
      const name = await store.findHolderName(mysql, orderId);
      return { ticketNumber, saleId, name, checkedInAt: toTimeText(nowMs) };
    },
  });
}

function maySeeAttendees(account: AccessClaims, { festival }: FestivalWithSalesRecord): boolean {
  return account.roles.includes('staff') || festival.organizerId === account.accountId;
}

function registerAttendees(app: FestApp, { services, authentication, catalogue }: CheckInRouteOptions): void {
  app.route({
    method: 'GET',
    url: ROUTES.festivalAttendees,
    config: { roles: ['organizer', 'staff'] },
    schema: {
      tags,
      summary: 'Tickets of a festival that were sold, by sale and number',
      params: FestivalParameters,
      querystring: PageQuery,
      response: { 200: AttendeePage },
    },
    onRequest: [privateAnswer, authentication.requireRole('organizer', 'staff')],
    async handler(request) {
      const festivalId = parseNumericId(request.params.festivalId);
      const found = festivalId === undefined ? undefined : await catalogue.getFestival(festivalId);
      if (found === undefined) throw new ProblemError('not_found', 'There is no festival with this id.');
      if (!maySeeAttendees(accountOf(request), found)) {
        throw new ProblemError('forbidden', 'The festival belongs to another organizer.');
      }
      const list = attendeesList(found.festival.id);
      const page = parsePage(request.query, list, 2);
      if (page === undefined) {
        const errors = [{ pointer: 'query:cursor', detail: 'is not a cursor of this list' }];
        throw new ProblemError('validation_failed', 'query:cursor is not a cursor of this list.', { errors });
      }
      return listPage(services, found, { ...page, list });
    },
  });
}

interface AttendeesPage {
  readonly list: string;
  readonly limit: number;
  readonly after: readonly number[] | undefined;
}

async function listPage(
  { mysql }: CheckInRouteOptions['services'],
  { sales }: FestivalWithSalesRecord,
  { list, limit, after }: AttendeesPage,
): Promise<AttendeePage> {
  const [saleId, ticketNumber] = after ?? [];
  const attendees = await store.listAttendees(mysql, {
    saleIds: sales.map(({ id }) => id),
    after: saleId === undefined || ticketNumber === undefined ? undefined : { saleId, ticketNumber },
    limit: limit + 1,
  });
  const saleNames = new Map(sales.map(({ id, name }) => [id, name]));
  const shown = attendees.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((attendee) => ({
      saleId: attendee.saleId,
      saleName: saleNames.get(attendee.saleId) ?? '',
      ticketNumber: attendee.ticketNumber,
      orderId: attendee.orderId,
      name: attendee.name,
      email: attendee.email ?? '',
      checkedInAt: attendee.checkedInAtMs === undefined ? null : toTimeText(attendee.checkedInAtMs),
    })),
    nextCursor:
      attendees.length > limit && last !== undefined ? encodeCursor(list, [last.saleId, last.ticketNumber]) : null,
  };
}
