/** Runs Terraform on a copy of infra/terraform, so that nothing is left in the repository. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Terraform {
  readonly program: string;
  /** Where providers are; undefined when Terraform is to find them itself. */
  readonly plugins: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Ended {
  readonly code: number;
  /** Standard output. */
  readonly output: string;
  /** Both. */
  readonly all: string;
}

/** A provider's start and a few plans: minutes only on a machine that is very busy. */
const TIMEOUT_MS = 600_000;
const OUTPUT_BYTES = 64 * 1024 ** 2;

/** The Terraform in PATH, or undefined. */
export function findTerraform(environment: Readonly<Record<string, string | undefined>>): Terraform | undefined {
  const program = (environment.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'terraform'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false; // not there, or no program
      }
    });
  if (program === undefined) return undefined;
  const { TF_PLUGIN_DIR, TF_CLI_CONFIG_FILE, ...others } = environment;
  const config = TF_CLI_CONFIG_FILE !== undefined && existsSync(TF_CLI_CONFIG_FILE) ? { TF_CLI_CONFIG_FILE } : {};
  return {
    program,
    plugins: TF_PLUGIN_DIR === undefined || TF_PLUGIN_DIR === '' ? undefined : TF_PLUGIN_DIR,
    environment: { ...others, ...config, TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' },
  };
}

/** Never rejects: what could not be started has code 127. */
export function runTerraform(terraform: Terraform, directory: string, ...words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      terraform.program,
      [...words],
      {
        cwd: directory,
        env: terraform.environment as NodeJS.ProcessEnv,
        maxBuffer: OUTPUT_BYTES,
        timeout: TIMEOUT_MS,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
        const unstarted = code === 127 && stderr === '' ? String(error) : '';
        resolve({ code, output: stdout, all: `${stdout}${stderr}${unstarted}` });
      },
    );
  });
}

/** Folders with a `versions.tf`: modules, then environments, relative to the root. */
export function listConfigurations(root: string): readonly string[] {
  return ['modules', 'environments'].flatMap((kind) =>
    readdirSync(join(root, kind))
      .filter((name) => existsSync(join(root, kind, name, 'versions.tf')))
      .sort()
      .map((name) => join(kind, name)),
  );
}
