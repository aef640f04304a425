/** Init, validate and test of one module or environment, and what came of it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTestRuns } from './assertions.ts';
import { runTerraform, type Terraform } from './terraform.ts';

export interface Checked {
  readonly configuration: string;
  readonly valid: boolean;
  readonly runs: { readonly passed: number; readonly failed: number; readonly skipped: number };
  /** Of runs that passed: a run passes when all its assertions hold and all its refusals came. */
  readonly assertions: number;
  readonly refusals: number;
  /** What Terraform said of what failed; empty when all is well. */
  readonly faults: string;
  /** Terraform has no provider: nothing could be checked. */
  readonly withoutProvider: boolean;
  readonly seconds: number;
}

interface TestEvent {
  readonly type?: string;
  readonly '@message'?: string;
  readonly diagnostic?: { readonly summary?: string; readonly detail?: string; readonly range?: { filename?: string } };
  readonly test_run?: {
    readonly path: string;
    readonly run: string;
    readonly progress?: string;
    readonly status?: string;
  };
}

type Counted = Pick<Checked, 'runs' | 'assertions' | 'refusals' | 'faults'>;

/**
 * Counts what `terraform test -json` reported.
 * @param read the text of a test file, by its path in the report
 */
export function countTests(report: string, read: (path: string) => string): Counted {
  const runs = { passed: 0, failed: 0, skipped: 0 };
  let [assertions, refusals] = [0, 0];
  const faults: string[] = [];
  for (const line of report.split('\n').filter((text) => text.startsWith('{'))) {
    const event: TestEvent = JSON.parse(line);
    const { diagnostic, test_run: run } = event;
    if (event.type === 'diagnostic' && diagnostic !== undefined)
      faults.push([diagnostic.summary, diagnostic.detail].filter(Boolean).join(': '));
    if (event.type !== 'test_run' || run?.progress !== 'complete') continue;
    if (run.status === 'pass') {
      const written = parseTestRuns(read(run.path)).find(({ name }) => name === run.run);
      if (written === undefined) throw new Error(`${run.path} has no run "${run.run}", of which Terraform reports`);
      runs.passed += 1;
      assertions += written.assertions;
      refusals += written.refusals;
    } else if (run.status === 'skip') runs.skipped += 1;
    else {
      runs.failed += 1;
      faults.push(`${run.path}: ${run.run}`);
    }
  }
  return { runs, assertions, refusals, faults: faults.join('\n') };
}

const NO_PROVIDER = /Failed to query available provider packages|could not connect to|no available releases match/i;
const NOTHING: Counted = { runs: { passed: 0, failed: 0, skipped: 0 }, assertions: 0, refusals: 0, faults: '' };

/** @param root a copy of infra/terraform, in which Terraform may write */
export async function checkConfiguration(terraform: Terraform, root: string, configuration: string): Promise<Checked> {
  const started = performance.now();
  const directory = join(root, configuration);
  const ended = (part: Partial<Checked>): Checked => ({
    configuration,
    valid: false,
    withoutProvider: false,
    ...NOTHING,
    ...part,
    seconds: (performance.now() - started) / 1_000,
  });
  const plugins = terraform.plugins === undefined ? [] : [`-plugin-dir=${terraform.plugins}`];
  const init = await runTerraform(
    terraform,
    directory,
    'init',
    '-backend=false',
    '-input=false',
    '-no-color',
    ...plugins,
  );
  if (init.code !== 0) return ended({ faults: init.all, withoutProvider: NO_PROVIDER.test(init.all) });
  const validated = await runTerraform(terraform, directory, 'validate', '-no-color');
  if (validated.code !== 0) return ended({ faults: validated.all });
  if (!existsSync(join(directory, 'tests'))) return ended({ valid: true, faults: 'there are no tests' });
  const tested = await runTerraform(terraform, directory, 'test', '-json', '-no-color');
  const counted = countTests(tested.output, (path) => readFileSync(join(directory, path), 'utf8'));
  const silent = tested.code !== 0 && counted.faults === '' ? tested.all : '';
  const nothing = counted.runs.passed === 0 && counted.faults === '' && silent === '' ? 'no test was run' : '';
  return ended({ valid: true, ...counted, faults: `${counted.faults}${silent}${nothing}` });
}
