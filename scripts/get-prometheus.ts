/**
 * Installs promtool and amtool with apt-get where they are missing, as `.ci/run` does: the tests of rules and routes need them.
 * Exit code 77: they are missing, and only root may install them; 1: root could not either.
 */
import { Missing, systemTool } from './infra/tools.ts';
import { PROMETHEUS_TOOLS } from './observe/test-support/prometheus-tools.ts';

for (const [tool, debianPackage] of Object.entries(PROMETHEUS_TOOLS)) {
  try {
    systemTool(tool, debianPackage);
    process.stdout.write(`${tool} is there\n`);
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    process.stderr.write(`!!! ${error.message} (package ${debianPackage}): tests of rules and routes do without\n`);
    process.exitCode = process.getuid?.() === 0 ? 1 : 77;
  }
}
