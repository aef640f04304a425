/** Which kind of request a route is for, as operators tell them apart. */
import type { RouteClass } from '../contract/operations.ts';
import { API_PREFIX, ROUTES } from '../contract/paths.ts';

type RouteName = keyof typeof ROUTES;
/** By method where methods differ; `else` is for all others. */
type ClassByMethod = Readonly<Record<'else', RouteClass> & Partial<Record<'GET' | 'POST' | 'DELETE', RouteClass>>>;

/** Complete over all routes: one without a class does not compile. */
const CLASSES: Readonly<Record<RouteName, RouteClass | ClassByMethod>> = {
  accounts: 'account',
  sessions: 'account',
  sessionsRefresh: 'account',
  me: 'account',
  myOrders: 'order',
  festivals: { GET: 'browse', else: 'operate' },
  festival: { GET: 'browse', else: 'operate' },
  festivalSales: 'operate',
  festivalAttendees: 'operate',
  sale: { GET: 'browse', else: 'operate' },
  saleOpen: 'operate',
  salePause: 'operate',
  saleResume: 'operate',
  saleClose: 'operate',
  saleRebuild: 'operate',
  saleAdmission: 'operate',
  saleHistory: 'operate',
  saleOrders: 'operate',
  saleReadiness: 'operate',
  saleReport: 'operate',
  saleState: 'wait',
  saleLive: 'wait',
  saleQueue: { POST: 'join', else: 'wait' },
  saleHolds: 'hold',
  hold: 'hold',
  holdPayments: 'pay',
  payment: 'pay',
  order: 'order',
  orderCancel: 'order',
  checkIns: 'operate',
  operationsLive: 'operate',
};

const BY_PATTERN: ReadonlyMap<string, RouteClass | ClassByMethod> = new Map(
  Object.entries(CLASSES).map(([name, classes]) => [API_PREFIX + ROUTES[name as RouteName], classes]),
);

/** @param route the pattern as Fastify has it, prefix included; what is no route of the API is `other` */
export function routeClassOf(method: string, route: string): RouteClass {
  const found = BY_PATTERN.get(route) ?? 'other';
  if (typeof found === 'string') return found;
  const ofMethod = method === 'HEAD' ? 'GET' : method;
  return (
    (ofMethod === 'GET' || ofMethod === 'POST' || ofMethod === 'DELETE' ? found[ofMethod] : undefined) ?? found.else
  );
}
