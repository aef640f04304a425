/** What operators do to a sale. Each change is made in one script, and is durable in the order log before the answer. */
import type { IncomingHttpHeaders } from 'node:http';
import { toTimeText } from '../../contract/json-time.ts';
import { AdmissionState, READINESS_CHECKS, type ReadinessCheckId } from '../../contract/operations.ts';
import { FORCED_CHECKS_HEADER, ROUTES } from '../../contract/paths.ts';
import { Admission, AdmissionInput, Sale, SaleParameters, SaleRebuild } from '../../contract/schemas.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { refuseBody } from '../../platform/problem-details.ts';
import type { PhaseAction } from '../../redis/scripts/sales.ts';
import type { Services } from '../../services.ts';
import { type OperatorRecord, operatorActionOf } from '../archive/operator-actions.ts';
import { toSaleAnswer } from '../catalogue/catalogue.ts';
import type { Catalogue } from '../catalogue/catalogue-cache.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import type { RebuildStatus, Rebuilds } from '../stock/rebuilds.ts';
import { requireLiveSale, type SaleDirectory, saleNotFound, saleRecovering } from '../stock/require-live-sale.ts';
import type { AdmissionReport } from '../waiting-room/ticker.ts';
import { addFreshAction } from './fresh-actions.ts';
import { registerHistoryRoutes } from './history-routes.ts';
import type { EventQueue } from './live/event-queue.ts';
import { admissionChanged, phaseChanged, rebuildRequested } from './live/sayings.ts';
import { admissionState, parseForcedChecks } from './operations.ts';
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
  /** Of the sales whose admission this process leads. */
  readonly admissions: () => ReadonlyMap<number, AdmissionReport>;
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
  const { services, authentication, live, rebuilds, directory, log, events, announce, admissions } = dependencies;
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
        const forced = action === 'open' ? forcedChecksOf(request.headers) : [];
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
        const overridden = forced.length === 0 ? {} : { forced };
        const change = { type: 'phaseChanged', saleId, epoch, at: nowMs, from, to, phaseSeq, operatorId } as const;
        await record({ ...change, ...overridden });
        request.log.info({ saleId, operatorId, from, to, ...overridden }, 'an operator changed the phase of a sale');
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
      const before = await requireRebuildStatus(saleId);
      await rebuilds.request(saleId, `operator ${operatorId} asked for it`);
      const after = await requireRebuildStatus(saleId);
      const { epoch } = before;
      // A rebuild that is over already has made its epoch the sale's.
      const nextEpoch = after.request?.epoch ?? after.epoch;
      await record({ type: 'rebuildRequested', saleId, epoch, at: clock.nowMs(), nextEpoch, operatorId });
      request.log.warn({ saleId, operatorId }, 'an operator has a sale built anew');
      events.say(rebuildRequested(saleId, operatorId));
      return reply.code(202).send(rebuildDocument(saleId, after));
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
      const saleId = await requireSaleId(request.params.saleId);
      return reply.code(200).send(rebuildDocument(saleId, await requireRebuildStatus(saleId)));
    },
  );

  async function requireSaleId(text: string): Promise<number> {
    const saleId = parseNumericId(text);
    if (saleId === undefined || (await directory.getSale(saleId)) === undefined) throw saleNotFound();
    return saleId;
  }

  async function requireRebuildStatus(saleId: number): Promise<RebuildStatus> {
    const status = await rebuilds.status(saleId);
    if (status === undefined) throw saleNotFound();
    return status;
  }

  /** Durable before it is answered, and in the history from then on. */
  async function record(change: OperatorRecord): Promise<void> {
    const lsn = await log.append(change);
    await addFreshAction(redis, { ...operatorActionOf(change), logId: log.logId, lsn });
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
      const { mode, perSecond, maxActive, from, admissionSeq } = result;
      const operatorId = accountOf(request).accountId;
      const settings = { mode, perSecond, maxActive, from };
      const at = clock.nowMs();
      await record({ type: 'admissionChanged', saleId, epoch, at, ...settings, admissionSeq, operatorId });
      request.log.info({ saleId, operatorId, ...settings }, 'an operator changed the admission of a sale');
      events.say(admissionChanged({ saleId, operatorId, mode, perSecond, maxActive }));
      await live.refresh(saleId);
      return reply.code(200).send({ saleId, perSecond, maxActive, mode });
    },
  );

  app.get(
    ROUTES.saleAdmission,
    {
      schema: {
        tags: ['operations'],
        summary: 'How buyers are admitted now, and how many wait',
        params: SaleParameters,
        response: { 200: AdmissionState },
      },
      config: { roles: ['operator'] },
      onRequest,
    },
    async (request, reply) => {
      const sale = await requireLiveSale(request.params.saleId, live, directory);
      const settings = await directory.getSale(sale.saleId);
      if (settings === undefined) throw saleNotFound();
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(admissionState(sale, settings, admissions().get(sale.saleId), clock.nowMs()));
    },
  );

  registerHistoryRoutes(app, { services, authentication, requireSaleId });
}

function rebuildDocument(saleId: number, { epoch, request, waitingFor }: RebuildStatus): SaleRebuild {
  const why = request === undefined ? {} : { reason: request.reason, requestedAt: toTimeText(request.requestedAtMs) };
  return { saleId, epoch, rebuilding: request !== undefined, ...why, waitingFor: [...waitingFor] };
}

/** Which checks an opening overrides, from its header. */
function forcedChecksOf(headers: IncomingHttpHeaders): readonly ReadinessCheckId[] {
  const checks = parseForcedChecks(headers[FORCED_CHECKS_HEADER.toLowerCase()]);
  if (checks !== undefined) return checks;
  const pointer = `header:${FORCED_CHECKS_HEADER}`;
  const detail = `must be ids of checks with commas between them: ${READINESS_CHECKS.join(', ')}`;
  throw new ProblemError('validation_failed', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] });
}
