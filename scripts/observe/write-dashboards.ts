/** Writes the dashboards of `scripts/observe/dashboards` as JSON for Grafana. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARD_FOLDER, DASHBOARDS, dashboardText } from './dashboards/all.ts';

for (const [name, plan] of Object.entries(DASHBOARDS)) {
  const path = join(import.meta.dirname, '../..', DASHBOARD_FOLDER, `${name}.json`);
  writeFileSync(path, dashboardText(plan));
  process.stdout.write(`${path}\n`);
}
