/**
 * `npm run check:infra`: whether the Dockerfile, the compose files, the Kubernetes manifests, the systemd unit and the load balancer's
 * configuration are what their own tools take. Each check is also run on a copy with a planted fault, which it has to find. What a
 * tool is missing for is skipped, with the reason. Python's and Go's tools are put into .fest, pinned; programs of the system are
 * installed with apt-get with `--install` or CI set only, by root. A skipped check is no failure; with CI set it is one,
 * unless nothing that can be installed there has the tool (kubectl).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Check } from './infra/check.ts';
import { CHECKS } from './infra/checks.ts';
import { Missing } from './infra/tools.ts';

const counts = { ok: 0, failed: 0, skipped: 0 };
/** Skipped for a tool that a machine of continuous integration can be given. */
let avoidable = 0;

async function carryOut({ name, run }: Check): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'fest-infra-'));
  try {
    await run(directory);
    counts.ok += 1;
    process.stdout.write(`ok: ${name}\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isSkipped = error instanceof Missing;
    if (isSkipped && !error.isExpected) avoidable += 1;
    counts[isSkipped ? 'skipped' : 'failed'] += 1;
    process.stdout.write(isSkipped ? `!!! SKIPPED: ${name}: ${message}\n` : `FAILED: ${name}\n${message}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const check of CHECKS) await carryOut(check);
process.stdout.write(`${counts.ok} ok, ${counts.failed} failed, ${counts.skipped} skipped\n`);
if (counts.failed > 0 || (avoidable > 0 && process.env.CI !== undefined)) process.exitCode = 1;
