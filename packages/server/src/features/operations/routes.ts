/** What operators do to a sale. Each change is made in one script, and is durable in the order log before the answer. */
import { toTimeText } from '../../contract/json-time.ts';
import { ROUTES } from '../../contract/paths.ts';
import { Admission, AdmissionInput, Sale, SaleParameters, SaleRebuild } from '../../contract/schemas.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { refuseBody } from '../../platform/problem-details.ts';
import type { PhaseAction } from '../../redis/scripts/sales.ts';
import type { Services } from '../../services.ts';
import { toSaleAnswer } from '../catalogue/catalogue.ts';
import type { Catalogue } from '../catalogue/catalogue-cache.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import type { Rebuilds } from '../stock/rebuilds.ts';
import { requireLiveSale, type SaleDirectory, saleNotFound, saleRecovering } from '../stock/require-live-sale.ts';
import type { EventQueue } from './live/event-queue.ts';
import { admissionChanged, phaseChanged, rebuildRequested } from './live/sayings.ts';
import { changePhase, setAdmission } from './store.ts';

export interface OperationsDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  readonly live: LiveSales;
  readonly rebuilds: Rebuilds;
  readonly directory: SaleDirectory;
  readonly log: OrderLog;
  /** Where operators hear what others of them did. */
  readonly events: Pick<EventQueue, 'say'>;
  /** Makes the other servers look at a sale now: before an opening they do so every few seconds only. */
  readonly announce: Catalogue['announce'];
}

const ACTIONS: readonly { readonly action: PhaseAction; readonly route: string; readonly summary: string }[] = [
  { action: 'open', route: ROUTES.saleOpen, summary: 'Open a scheduled sale now' },
  { action: 'pause', route: ROUTES.salePause, summary: 'Stop admitting and holding; payments under way go on' },
  { action: 'resume', route: ROUTES.saleResume, summary: 'Go on after a pause' },
  { action: 'close', route: ROUTES.saleClose, summary: 'End a sale for good' },
];

const ALLOWED_FROM: Readonly<Record<PhaseAction, string>> = {
  open: 'scheduled',
  pause: 'open',
  resume: 'paused',
  close: 'scheduled, open or paused',
};

export function registerOperationsRoutes(app: FestApp, dependencies: OperationsDependencies): void {
  const { services, authentication, live, rebuilds, directory, log, events, announce } = dependencies;
  const { redis, clock } = services;
  const onRequest = authentication.requireRole('operator');

  for (const { action, route, summary } of ACTIONS) {
    app.post(
      route,
      {
        schema: { tags: ['operations'], summary, params: SaleParameters, response: { 200: Sale } },
        config: { roles: ['operator'] },
        onRequest,
        preValidation: refuseBody,
      },
      async (request, reply) => {
        const { saleId, snapshot } = await requireLiveSale(request.params.saleId, live, directory);
        const nowMs = clock.nowMs();
        const { epoch } = snapshot;
        const result = await changePhase(redis, saleId, epoch, action, nowMs);
        if (result.status === 'missing' || result.status === 'wrongEpoch') throw saleRecovering();
        if (result.status === 'wrongPhase') {
          throw new ProblemError(
            'wrong_phase',
            `The sale is ${result.phase}; ${action} needs it to be ${ALLOWED_FROM[action]}.`,
          );
        }
        const { from, to, phaseSeq } = result;
        const operatorId = accountOf(request).accountId;
        await log.append({ type: 'phaseChanged', saleId, epoch, at: nowMs, from, to, phaseSeq, operatorId });
        request.log.info({ saleId, operatorId, from, to }, 'an operator changed the phase of a sale');
        events.say(phaseChanged({ saleId, from, to, operatorId }));
        const [sale, state] = await Promise.all([directory.getSale(saleId), live.refresh(saleId)]);
        if (sale === undefined) throw saleNotFound();
        await announce({ festivalId: sale.festivalId, saleIds: [saleId] });
        if (state === undefined) throw saleRecovering();
        const { available, held, sold } = state.snapshot;
        return reply.code(200).send(toSaleAnswer(sale, { phase: state.phase, available, held, sold }));
      },
    );
  }

  app.post(
    ROUTES.saleRebuild,
    {
      schema: {
        tags: ['operations'],
        summary: 'Build the stock of a sale anew from the order logs and MySQL; the line starts again',
        params: SaleParameters,
        response: { 202: SaleRebuild },
      },
      config: { roles: ['operator'] },
      onRequest,
      preValidation: refuseBody,
    },
    async (request, reply) => {
      const { accountId: operatorId } = accountOf(request);
      const saleId = await requireSaleId(request.params.saleId);
      await rebuilds.request(saleId, `operator ${operatorId} asked for it`);
      request.log.warn({ saleId, operatorId }, 'an operator has a sale built anew');
      events.say(rebuildRequested(saleId, operatorId));
      return reply.code(202).send(await rebuildDocument(saleId));
    },
  );

  app.get(
    ROUTES.saleRebuild,
    {
      schema: {
        tags: ['operations'],
        summary: 'Whether a sale is being built anew, and what it waits for',
        params: SaleParameters,
        response: { 200: SaleRebuild },
      },
      config: { roles: ['operator'] },
      onRequest,
    },
    async (request, reply) => {
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(await rebuildDocument(await requireSaleId(request.params.saleId)));
    },
  );

  async function requireSaleId(text: string): Promise<number> {
    const saleId = parseNumericId(text);
    if (saleId === undefined || (await directory.getSale(saleId)) === undefined) throw saleNotFound();
    return saleId;
  }

  async function rebuildDocument(saleId: number): Promise<SaleRebuild> {
    const status = await rebuilds.status(saleId);
    if (status === undefined) throw saleNotFound();
    const { epoch, request, waitingFor } = status;
    const why = request === undefined ? {} : { reason: request.reason, requestedAt: toTimeText(request.requestedAtMs) };
    return { saleId, epoch, rebuilding: request !== undefined, ...why, waitingFor: [...waitingFor] };
  }

  app.put(
    ROUTES.saleAdmission,
    {
      schema: {
        tags: ['operations'],
        summary: 'Set how fast buyers are admitted',
        params: SaleParameters,
        body: AdmissionInput,
        response: { 200: Admission },
      },
      config: { roles: ['operator'] },
      onRequest,
    },
    async (request, reply) => {
      const { saleId, snapshot } = await requireLiveSale(request.params.saleId, live, directory);
      const { epoch } = snapshot;
      const result = await setAdmission(redis, saleId, epoch, request.body);
      if (result.status !== 'set') throw saleRecovering();
      const { mode, perSecond, maxActive, admissionSeq } = result;
      const operatorId = accountOf(request).accountId;
      const at = clock.nowMs();
      await log.append({
        type: 'admissionChanged',
        saleId,
        epoch,
        at,
        mode,
        perSecond,
        maxActive,
        admissionSeq,
        operatorId,
      });
      request.log.info(
        { saleId, operatorId, mode, perSecond, maxActive },
        'an operator changed the admission of a sale',
      );
      events.say(admissionChanged({ saleId, operatorId, mode, perSecond, maxActive }));
      await live.refresh(saleId);
      return reply.code(200).send({ saleId, perSecond, maxActive, mode });
    },
  );
}
