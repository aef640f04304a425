/** What an operator should know before a sale is opened. */
import { statfs } from 'node:fs/promises';
import { SaleReadiness } from '../../contract/operations.ts';
import { ROUTES } from '../../contract/paths.ts';
import { SaleParameters } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { Authentication } from '../../platform/authentication.ts';
import { withDeadline } from '../../platform/deadline.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { type SaleDirectory, saleNotFound } from '../stock/require-live-sale.ts';
import { type FactSources, gatherFacts } from './gather-facts.ts';
import { judgeReadiness } from './readiness.ts';

export interface ReadinessDependencies extends FactSources {
  readonly authentication: Authentication;
  readonly directory: SaleDirectory;
}

export function registerReadinessRoutes(app: FestApp, dependencies: ReadinessDependencies): void {
  const { authentication, directory } = dependencies;
  app.get(
    ROUTES.saleReadiness,
    {
      schema: {
        tags: ['operations'],
        summary: 'Whether a sale may be opened: checks, what was found, and what mends it',
        params: SaleParameters,
        response: { 200: SaleReadiness },
      },
      config: { roles: ['operator'] },
      onRequest: authentication.requireRole('operator'),
    },
    async (request, reply) => {
      const saleId = parseNumericId(request.params.saleId);
      if (saleId === undefined) throw saleNotFound();
      // As this server remembers it, if it does: that MySQL is away is what the checks are to say.
      const sale = await withDeadline(directory.getSale(saleId), LIMITS.readinessMs, notRead).catch(sayNotRead);
      if (sale === undefined) throw saleNotFound();
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(judgeReadiness(await gatherFacts(dependencies, sale)));
    },
  );
}

function notRead(): ProblemError {
  const detail =
    'MySQL does not answer, and this server does not remember the sale: start MySQL, or correct FEST_MYSQL_URL, and check again.';
  return new ProblemError('store_unavailable', detail, { retryAfterMs: 1_000 });
}

/** A MySQL that refuses connections is as far away as one that hangs. */
function sayNotRead(error: unknown): never {
  throw isStoreFailure(error) ? notRead() : error;
}

/** What is left for processes without privileges. */
export async function readFreeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
