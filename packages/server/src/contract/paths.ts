/** Every path of the API, spelled once. No imports: the CLI, the tests and the k6 scripts use these too. */

export const API_PREFIX = '/api/v1';

/** Route patterns, relative to `API_PREFIX`. */
export const ROUTES = {
  accounts: '/accounts',
  sessions: '/sessions',
  sessionsRefresh: '/sessions/refresh',
  me: '/me',
  myOrders: '/me/orders',
  festivals: '/festivals',
  festival: '/festivals/:festivalId',
  festivalSales: '/festivals/:festivalId/sales',
  festivalAttendees: '/festivals/:festivalId/attendees',
  sale: '/sales/:saleId',
  saleOpen: '/sales/:saleId/open',
  salePause: '/sales/:saleId/pause',
  saleResume: '/sales/:saleId/resume',
  saleClose: '/sales/:saleId/close',
  saleRebuild: '/sales/:saleId/rebuild',
  saleAdmission: '/sales/:saleId/admission',
  saleReadiness: '/sales/:saleId/readiness',
  saleHistory: '/sales/:saleId/history',
  saleReport: '/sales/:saleId/report',
  saleState: '/sales/:saleId/state',
  saleLive: '/sales/:saleId/live',
  saleQueue: '/sales/:saleId/queue',
  saleHolds: '/sales/:saleId/holds',
  saleOrders: '/sales/:saleId/orders',
  hold: '/holds/:holdId',
  holdPayments: '/holds/:holdId/payments',
  payment: '/payments/:paymentId',
  order: '/orders/:orderId',
  orderCancel: '/orders/:orderId/cancel',
  checkIns: '/check-ins',
  operationsLive: '/operations/live',
} as const;

/** Paths outside `API_PREFIX`. */
export const SERVICE_PATHS = {
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics',
  openApi: '/openapi.json',
  docs: '/docs',
  problems: '/docs/problems',
} as const;

/** Header that carries the queue token. */
export const QUEUE_TOKEN_HEADER = 'Queue-Token';

/** Header that makes a POST safe to repeat. */
export const IDEMPOTENCY_KEY_HEADER = 'Idempotency-Key';

/** Header that carries the solution of a `challenge_required`. */
export const PROOF_OF_WORK_HEADER = 'Proof-Of-Work';

/** Header of an opening although checks of the readiness failed: their ids, with commas between them. */
export const FORCED_CHECKS_HEADER = 'Forced-Checks';

type ParameterNames<Pattern extends string> = Pattern extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterNames<`/${Rest}`>
  : Pattern extends `${string}:${infer Name}`
    ? Name
    : never;

/**
 * The path of a route with its parameters filled in, `API_PREFIX` included: `pathOf('sale', {saleId: 7})` is
 * `/api/v1/sales/7`.
 */
export function pathOf<Name extends keyof typeof ROUTES>(
  name: Name,
  ...[parameters]: ParameterNames<(typeof ROUTES)[Name]> extends never
    ? []
    : [Record<ParameterNames<(typeof ROUTES)[Name]>, string | number>]
): string {
  const values: Record<string, string | number> = parameters ?? {};
  return API_PREFIX + ROUTES[name].replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(String(values[key])));
}
