/** The dashboards, and where they are kept: written by `npm run dashboards`, read by Grafana. */
import { buildDashboard, type DashboardPlan } from './dashboard.ts';
import { SALE } from './sale.ts';
import { SERVER } from './server.ts';
import { STORES } from './stores.ts';

export const DASHBOARD_FOLDER = 'infra/observability/grafana/dashboards';

export const DASHBOARDS: Readonly<Record<string, DashboardPlan>> = { sale: SALE, server: SERVER, stores: STORES };

/** As it is kept. */
export function dashboardText(plan: DashboardPlan): string {
  return `${JSON.stringify(buildDashboard(plan), null, 2)}\n`;
}
