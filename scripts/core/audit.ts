/** `fest audit` over everything that was sold while it was measured: a figure of a server that lost an order is worth nothing. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Hall } from './hall.ts';

export interface AuditVerdict {
  /** Every sale was compared, nothing differs. */
  readonly clean: boolean;
  readonly exitCode: number | null;
  /** What it said, when it is not clean. */
  readonly said: string;
}

const WAIT_SECONDS = 30;
const CLI = fileURLToPath(new URL('../../packages/cli/bin/fest.js', import.meta.url));

export async function auditAll({ stage, signal }: Pick<Hall, 'stage' | 'signal'>): Promise<AuditVerdict> {
  const child = spawn(process.execPath, [CLI, 'audit', '--wait', String(WAIT_SECONDS)], {
    cwd: stage.stack.paths.directory,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { clean: exitCode === 0, exitCode, said: exitCode === 0 ? '' : Buffer.concat(said).toString() };
}
