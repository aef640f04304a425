/**
 * Checks infra/terraform: format, and of each module and environment init, validate and test, with mocked providers and without an
 * account. Counts assertions from what Terraform reports. Ends with 1 when something is wrong; without Terraform, or without its
 * provider, says so and ends with 77, by which .ci/run counts it as skipped.
 * Providers are taken from TF_PLUGIN_DIR (a folder as of `terraform providers mirror`), else from where Terraform finds them.
 * Usage: node scripts/check-terraform.ts [module or environment …]
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Checked, checkConfiguration } from './terraform/check-configuration.ts';
import { findTerraform, listConfigurations, runTerraform, type Terraform } from './terraform/terraform.ts';

/** Each has a provider of some hundred MiB in memory. */
const AT_ONCE_MAX = 4;
/** What test programs commonly end with when they were not run. */
const SKIPPED = 77;
const SOURCE = resolve(import.meta.dirname, '../infra/terraform');

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function unavailable(what: string): number {
  say(`!!! SKIPPED: infra/terraform is NOT checked: ${what}`);
  return SKIPPED;
}

async function checkAll(terraform: Terraform, root: string, wanted: readonly string[]): Promise<readonly Checked[]> {
  const left = [...wanted];
  const checked: Checked[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const result = await checkConfiguration(terraform, root, next);
      checked.push(result);
      if (result.faults !== '') say(`\n${next}:\n${result.faults}\n`);
      if (result.withoutProvider) left.length = 0;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, availableParallelism()) }, work));
  return checked.sort((one, other) => wanted.indexOf(one.configuration) - wanted.indexOf(other.configuration));
}

function show(checked: readonly Checked[]): void {
  const width = Math.max(...checked.map(({ configuration }) => configuration.length));
  say(`${''.padEnd(width)}  valid  runs  failed  assertions  refusals       s`);
  for (const { configuration, valid, runs, assertions, refusals, seconds } of checked) {
    const cells = [runs.passed, runs.failed + runs.skipped, assertions, refusals];
    const [passed, failed, held, refused] = cells.map(String);
    say(
      `${configuration.padEnd(width)}  ${valid ? 'yes  ' : 'NO   '}${passed?.padStart(6)}${failed?.padStart(8)}` +
        `${held?.padStart(12)}${refused?.padStart(10)}${seconds.toFixed(1).padStart(8)}`,
    );
  }
  const sum = (of: (one: Checked) => number): number => checked.reduce((total, one) => total + of(one), 0);
  const failed = sum(({ runs }) => runs.failed + runs.skipped);
  say(
    `${sum((one) => one.assertions)} assertions held and ${sum((one) => one.refusals)} refusals came in ` +
      `${sum(({ runs }) => runs.passed)} runs of ${checked.length} configurations; ${failed} runs failed or were not come to`,
  );
}

async function main(words: readonly string[]): Promise<number> {
  const terraform = findTerraform(process.env);
  if (terraform === undefined) return unavailable('there is no terraform in PATH');
  const root = mkdtempSync(join(tmpdir(), 'fest-terraform-'));
  try {
    const without = /[/\\]\.terraform(\.lock\.hcl)?$/;
    cpSync(SOURCE, root, { recursive: true, filter: (path) => !without.test(path) });
    const configurations = listConfigurations(root);
    const wanted =
      words.length === 0
        ? configurations
        : configurations.filter((path) => words.some((word) => path.endsWith(`/${word}`)));
    if (wanted.length === 0) {
      say(`there is no such module or environment; there are ${configurations.join(', ')}`);
      return 2;
    }
    const format = await runTerraform(terraform, root, 'fmt', '-check', '-recursive', '-diff', '-no-color');
    if (format.code !== 0) say(`terraform fmt would change:\n${format.all}`);
    const checked = await checkAll(terraform, root, wanted);
    if (checked.some(({ withoutProvider }) => withoutProvider))
      return unavailable('Terraform finds no AWS provider; name a folder that has it in TF_PLUGIN_DIR');
    show(checked);
    return format.code === 0 && checked.every(({ faults }) => faults === '') ? 0 : 1;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
