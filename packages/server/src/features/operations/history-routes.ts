/** Who changed what in a sale. */
import { SaleHistory } from '../../contract/operations.ts';
import { ROUTES } from '../../contract/paths.ts';
import { PageQuery, SaleParameters } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { Authentication } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { ProblemError } from '../../platform/problem.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import type { Services } from '../../services.ts';
import { listFreshActions, type RecordedAction } from './fresh-actions.ts';
import { type ActionPlace, actionDocument, decodeCursor, encodeCursor, mergeActions } from './history.ts';
import { listActions, readNames } from './history-store.ts';

export interface HistoryDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  /** The id of a sale that there is. Throws 404. */
  readonly requireSaleId: (text: string) => Promise<number>;
}

export function registerHistoryRoutes(app: FestApp, dependencies: HistoryDependencies): void {
  const { services, authentication, requireSaleId } = dependencies;
  const { redis, mysql } = services;

  app.get(
    ROUTES.saleHistory,
    {
      schema: {
        tags: ['operations'],
        summary: 'What operators did to a sale, newest first',
        params: SaleParameters,
        querystring: PageQuery,
        response: { 200: SaleHistory },
      },
      config: { roles: ['operator'] },
      onRequest: authentication.requireRole('operator'),
    },
    async (request, reply) => {
      const saleId = await requireSaleId(request.params.saleId);
      const { limit: limitText, cursor } = request.query;
      const limit = limitText === undefined ? LIMITS.pageItemsDefault : Number(limitText);
      const after = cursor === undefined ? undefined : requirePlace(cursor);
      // Before the archive: what enters it meanwhile is in both, and shown once.
      const fresh = await listFreshActions(redis, saleId);
      const archived = await unlessAway(() => listActions(mysql, saleId, limit + 1, after), [], fresh.length > 0);
      const { items, next } = mergeActions(archived, fresh, limit, after);
      const names = await unlessAway(() => readNames(mysql, operatorsOf(items)), new Map<number, string>(), true);
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send({
        saleId,
        items: items.map((action) => actionDocument(action, (accountId) => names.get(accountId))),
        nextCursor: next === undefined ? null : encodeCursor(next),
      });
    },
  );
}

function operatorsOf(actions: readonly RecordedAction[]): readonly number[] {
  return [...new Set(actions.flatMap(({ operatorId }) => operatorId ?? []))];
}

function requirePlace(cursor: string): ActionPlace {
  const place = decodeCursor(cursor);
  if (place !== undefined) return place;
  const detail = 'is not a cursor of this list';
  throw new ProblemError('validation_failed', `query:cursor ${detail}.`, {
    errors: [{ pointer: 'query:cursor', detail }],
  });
}

/** The history is looked at when something is wrong: what Redis has is told without MySQL. */
async function unlessAway<Value>(read: () => Promise<Value>, without: Value, mayLack: boolean): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (!mayLack || !isStoreFailure(error)) throw error;
    return without;
  }
}
