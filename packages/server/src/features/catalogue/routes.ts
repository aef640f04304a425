/** Festivals and sales: reading for everybody, changing for the organizer who owns them. */
import { Type } from 'typebox';
import { API_PREFIX, ROUTES } from '../../contract/paths.ts';
import type { FieldError } from '../../contract/problems.ts';
import {
  Festival,
  FestivalInput,
  FestivalPage,
  FestivalParameters,
  FestivalPatch,
  FestivalWithSales,
  PageQuery,
  Sale,
  SaleInput,
  SaleParameters,
  SalePatch,
} from '../../contract/schemas.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import { privateAnswer, publicAnswer } from '../../platform/cache-headers.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { encodeCursor, parsePage } from '../../platform/page-cursor.ts';
import { ProblemError } from '../../platform/problem.ts';
import { refuseBody } from '../../platform/problem-details.ts';
import type { Services } from '../../services.ts';
import type { LiveSaleState, SaleStates } from '../stock/sale-states.ts';
import {
  type Checked,
  type FestivalFields,
  parseFestivalFields,
  parseSaleInput,
  parseSalePatch,
  toFestivalAnswer,
  toSaleAnswer,
} from './catalogue.ts';
import type { Catalogue } from './catalogue-cache.ts';
import {
  type CatalogueChanges,
  createCatalogueChanges,
  type DeleteResult,
  type FestivalResult,
  type SaleResult,
  stateAfterChange,
} from './catalogue-changes.ts';
import type { SaleRecord } from './sale-record.ts';

const tags = ['catalogue'];
const ORGANIZER = { roles: ['organizer'] } as const;

export interface CatalogueRouteOptions {
  readonly services: Pick<Services, 'mysql' | 'clock'>;
  readonly authentication: Authentication;
  readonly catalogue: Catalogue;
  readonly saleStates: SaleStates;
  readonly reconcileSoon: (saleId: number) => void;
}

interface Parts {
  readonly authentication: Authentication;
  readonly catalogue: Catalogue;
  readonly saleStates: SaleStates;
  readonly changes: CatalogueChanges;
}

/** `app` carries the API's path prefix. */
export function registerCatalogueRoutes(app: FestApp, options: CatalogueRouteOptions): void {
  const { services, authentication, catalogue, saleStates, reconcileSoon } = options;
  const { mysql, clock } = services;
  const announce: Catalogue['announce'] = (change) => catalogue.announce(change);
  const changes = createCatalogueChanges({ mysql, clock, saleStates, announce, reconcileSoon });
  const parts = { authentication, catalogue, saleStates, changes };
  registerFestivalReads(app, parts);
  registerFestivalChanges(app, parts);
  registerSaleRead(app, parts);
  registerSaleChanges(app, parts);
}

// --- refusals --------------------------------------------------------------------------------------------------------

const FESTIVAL_NOT_FOUND = `There is no festival with this id; GET ${API_PREFIX}${ROUTES.festivals} lists them.`;
const SALE_NOT_FOUND = 'There is no sale with this id; a festival lists its sales.';

function invalid(errors: readonly FieldError[]): ProblemError {
  const summary = errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
  return new ProblemError('validation_failed', `${summary}.`, { errors });
}

function recovering(): ProblemError {
  return new ProblemError('sale_recovering', 'The stock of the sale is being restored; try again in a moment.', {
    retryAfterMs: 1_000,
  });
}

function checked<Value>(outcome: Checked<Value>): Value {
  if (outcome.status === 'invalid') throw invalid(outcome.errors);
  return outcome.value;
}

type Refusal = Exclude<FestivalResult | SaleResult | DeleteResult, { readonly status: 'done' }>;

function refusal(refused: Refusal, notFound: string): ProblemError {
  switch (refused.status) {
    case 'notFound':
      return new ProblemError('not_found', notFound);
    case 'forbidden':
      return new ProblemError('forbidden', 'The festival belongs to another organizer.');
    case 'invalid':
      return invalid(refused.errors);
    case 'recovering':
      return recovering();
    case 'inUse':
      return new ProblemError('festival_in_use', 'A festival can be deleted until the first of its sales opens.');
    case 'capacityInUse':
      return new ProblemError(
        'capacity_in_use',
        `Ticket ${refused.lowestCapacity} was given out before: the capacity can be ${refused.lowestCapacity} at least.`,
      );
    case 'settled':
      return new ProblemError(
        'wrong_phase',
        `The sale has opened: ${refused.members.join(', ')} cannot change any more.`,
      );
  }
}

function festivalIdOf(parameters: { readonly festivalId: string }): number {
  const id = parseNumericId(parameters.festivalId);
  if (id === undefined) throw new ProblemError('not_found', FESTIVAL_NOT_FOUND);
  return id;
}

function saleIdOf(parameters: { readonly saleId: string }): number {
  const id = parseNumericId(parameters.saleId);
  if (id === undefined) throw new ProblemError('not_found', SALE_NOT_FOUND);
  return id;
}

async function getState(saleStates: SaleStates, sale: SaleRecord): Promise<LiveSaleState> {
  const state = await saleStates.find(sale);
  if (state === undefined) throw recovering();
  return state;
}

// --- festivals -------------------------------------------------------------------------------------------------------

const FESTIVAL_LIST = 'festivals';

function registerFestivalReads(app: FestApp, { catalogue, saleStates }: Parts): void {
  app.route({
    method: 'GET',
    url: ROUTES.festivals,
    schema: { tags, summary: 'Festivals, newest first', querystring: PageQuery, response: { 200: FestivalPage } },
    onRequest: publicAnswer,
    async handler(request) {
      const page = parsePage(request.query, FESTIVAL_LIST, 1);
      if (page === undefined) throw invalid([{ pointer: 'query:cursor', detail: 'is not a cursor of this list' }]);
      const { limit } = page;
      const festivals = await catalogue.listFestivals({ limit, beforeId: page.after?.[0] });
      const items = festivals.slice(0, limit).map(toFestivalAnswer);
      const last = items.at(-1);
      const nextCursor = festivals.length > limit && last !== undefined ? encodeCursor(FESTIVAL_LIST, [last.id]) : null;
      return { items, nextCursor };
    },
  });

  app.route({
    method: 'GET',
    url: ROUTES.festival,
    schema: {
      tags,
      summary: 'A festival with its sales',
      params: FestivalParameters,
      response: { 200: FestivalWithSales },
    },
    onRequest: publicAnswer,
    async handler(request) {
      const found = await catalogue.getFestival(festivalIdOf(request.params));
      if (found === undefined) throw new ProblemError('not_found', FESTIVAL_NOT_FOUND);
      const sales = await Promise.all(
        found.sales.map(async (sale) => toSaleAnswer(sale, await getState(saleStates, sale))),
      );
      return { ...toFestivalAnswer(found.festival), sales };
    },
  });
}

function registerFestivalChanges(app: FestApp, { authentication, changes }: Parts): void {
  const onRequest = [privateAnswer, authentication.requireRole('organizer')];

  app.route({
    method: 'POST',
    url: ROUTES.festivals,
    config: { ...ORGANIZER, idempotent: true },
    schema: { tags, summary: 'Create a festival', body: FestivalInput, response: { 201: Festival } },
    onRequest,
    async handler(request, reply) {
      // The schema demands every member, so none is missing from the fields.
      const fields = checked(parseFestivalFields(request.body) as Checked<FestivalFields>);
      const result = await changes.createFestival({ organizerId: accountOf(request).accountId, fields });
      if (result.status !== 'done') throw refusal(result, FESTIVAL_NOT_FOUND);
      reply.code(201);
      return toFestivalAnswer(result.festival);
    },
  });

  app.route({
    method: 'PATCH',
    url: ROUTES.festival,
    config: ORGANIZER,
    schema: {
      tags,
      summary: 'Change a festival',
      params: FestivalParameters,
      body: FestivalPatch,
      response: { 200: Festival },
    },
    onRequest,
    async handler(request) {
      const wanted = checked(parseFestivalFields(request.body));
      const result = await changes.changeFestival(accountOf(request).accountId, festivalIdOf(request.params), wanted);
      if (result.status !== 'done') throw refusal(result, FESTIVAL_NOT_FOUND);
      return toFestivalAnswer(result.festival);
    },
  });

  app.route({
    method: 'DELETE',
    url: ROUTES.festival,
    config: ORGANIZER,
    schema: {
      tags,
      summary: 'Delete a festival none of whose sales has opened, and those sales',
      params: FestivalParameters,
      response: { 204: Type.Null() },
    },
    onRequest,
    preValidation: refuseBody,
    async handler(request, reply) {
      const result = await changes.deleteFestival(accountOf(request).accountId, festivalIdOf(request.params));
      if (result.status !== 'done') throw refusal(result, FESTIVAL_NOT_FOUND);
      reply.code(204);
      return null;
    },
  });
}

// --- sales -----------------------------------------------------------------------------------------------------------

function registerSaleRead(app: FestApp, { catalogue, saleStates }: Parts): void {
  app.route({
    method: 'GET',
    url: ROUTES.sale,
    schema: { tags, summary: 'A sale with its stock', params: SaleParameters, response: { 200: Sale } },
    onRequest: publicAnswer,
    async handler(request) {
      const sale = await catalogue.getSale(saleIdOf(request.params));
      if (sale === undefined) throw new ProblemError('not_found', SALE_NOT_FOUND);
      return toSaleAnswer(sale, await getState(saleStates, sale));
    },
  });
}

function registerSaleChanges(app: FestApp, { authentication, saleStates, changes }: Parts): void {
  const onRequest = [privateAnswer, authentication.requireRole('organizer')];

  app.route({
    method: 'POST',
    url: ROUTES.festivalSales,
    config: { ...ORGANIZER, idempotent: true },
    schema: {
      tags,
      summary: 'Add a sale to a festival',
      params: FestivalParameters,
      body: SaleInput,
      response: { 201: Sale },
    },
    onRequest,
    async handler(request, reply) {
      const fields = checked(parseSaleInput(request.body));
      const festivalId = festivalIdOf(request.params);
      const result = await changes.createSale(accountOf(request).accountId, { festivalId, fields });
      if (result.status !== 'done') throw refusal(result, FESTIVAL_NOT_FOUND);
      reply.code(201);
      // It exists now; that its state cannot be read back at this moment is no reason to make the client add another one.
      const { sale } = result;
      const untouched: LiveSaleState = { phase: 'scheduled', available: sale.capacity, held: 0, sold: 0 };
      return toSaleAnswer(sale, (await saleStates.find(sale)) ?? untouched);
    },
  });

  app.route({
    method: 'PATCH',
    url: ROUTES.sale,
    config: ORGANIZER,
    schema: { tags, summary: 'Change a sale', params: SaleParameters, body: SalePatch, response: { 200: Sale } },
    onRequest,
    async handler(request) {
      const wanted = checked(parseSalePatch(request.body));
      const result = await changes.changeSale(accountOf(request).accountId, saleIdOf(request.params), wanted);
      if (result.status !== 'done') throw refusal(result, SALE_NOT_FOUND);
      const state = await getState(saleStates, result.sale);
      return toSaleAnswer(result.sale, stateAfterChange(result.sale, state));
    },
  });
}
