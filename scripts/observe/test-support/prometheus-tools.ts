/** The programs that judge rules and routes: a test that needs one is skipped without it, aloud, and fails where it could be had. */
import { spawnSync } from 'node:child_process';
import { env, getuid } from 'node:process';
import type { TestContext } from 'vitest';

/** Program → Debian's package. */
export const PROMETHEUS_TOOLS = { promtool: 'prometheus', amtool: 'prometheus-alertmanager' } as const;
export type PrometheusTool = keyof typeof PROMETHEUS_TOOLS;

/** What stands for a test without its tool. `.ci/run` installs them where it is root. Pure. */
export function withoutTool(tool: PrometheusTool, { isCi, isRoot }: { isCi: boolean; isRoot: boolean }) {
  const why = `${tool} is not installed (Debian: ${PROMETHEUS_TOOLS[tool]})`;
  return { why, is: isCi && isRoot ? ('failed' as const) : ('skipped' as const) };
}

/** First line of a test. @throws where the tool has to be there; else the test ends as skipped */
export function need(tool: PrometheusTool, context: TestContext): void {
  if (spawnSync(tool, ['--version']).error === undefined) return;
  const { why, is } = withoutTool(tool, { isCi: env.CI !== undefined, isRoot: getuid?.() === 0 });
  if (is === 'failed') throw new Error(`${why}, and \`node scripts/get-prometheus.ts\` installs it`);
  process.stderr.write(`\n!!! NOT CHECKED WITH ${tool}: ${why}\n\n`);
  context.skip(why);
}

export interface Judged {
  readonly status: number | null;
  /** What it said, wherever. */
  readonly said: string;
}

export function judge(
  tool: PrometheusTool,
  args: readonly string[],
  options: { cwd?: string; input?: string } = {},
): Judged {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', ...options });
  return { status, said: `${stdout}${stderr}` };
}
