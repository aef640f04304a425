/** Where the tools of the checks come from: this machine, PyPI (pinned), the Go module proxy (pinned). */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
const TOOLS = join(ROOT, '.fest');
const REQUIREMENTS = join(ROOT, 'infra/check/requirements.txt');

/** A tool is not here, and cannot be had. */
export class Missing extends Error {
  /** Nothing that a machine of continuous integration is set up with gives it: it is no fault of the machine. */
  readonly isExpected: boolean;

  constructor(message: string, { isExpected = false }: { readonly isExpected?: boolean } = {}) {
    super(message);
    this.isExpected = isExpected;
  }
}

export interface Ran {
  readonly status: number | null;
  /** What it said, wherever. */
  readonly said: string;
}

export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 2 ** 26,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') throw new Missing(`there is no ${program}`);
  return { status, said: `${stdout}${stderr}` };
}

/** Only what it wrote as its answer. @throws when it failed */
export function answerOf(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    throw new Missing(`there is no ${program}`, { isExpected: true });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return stdout;
}

/** A program of the Python packages that are pinned in infra/check; installed once for each version of that file. */
export function pythonTool(name: string): string {
  const folder = join(TOOLS, 'infra-tools');
  const stamp = join(folder, 'requirements.sha256');
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(TOOLS, { recursive: true, mode: 0o700 });
    // Debian's python3 comes without what makes one.
    const make = (): Ran => run(systemTool('python3'), ['-m', 'venv', '--clear', folder]);
    const first = make();
    if (first.status !== 0) aptInstall('python3-venv');
    const made = first.status === 0 ? first : make();
    if (made.status !== 0)
      throw new Missing(
        `python3 makes no virtual environment (python3-venv is missing, ${NOT_INSTALLED}): ${made.said.trim()}`,
      );
    const installed = run(join(folder, 'bin/pip'), ['install', '--quiet', '--no-deps', '-r', REQUIREMENTS]);
    if (installed.status !== 0) throw new Missing(`pip could not install ${REQUIREMENTS}: ${installed.said.trim()}`);
    writeFileSync(stamp, wanted);
  }
  return join(folder, 'bin', name);
}

/** As `fest up` installs engines: one installation at a time on a machine, and no service is started. */
const APT_INSTALL = `
exec 9>/run/lock/fest-apt.lock && flock -w 900 9 || exit 1
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\n# made by fest while it installs; safe to delete\\nexit 101\\n' >"$policy" && chmod 755 "$policy"
fi
apt-get -q update; apt-get -q install -y --no-install-recommends "$1" 9>&-`;

/** Said with `--install`, and by continuous integration: nobody's machine is changed unasked. */
const MAY_INSTALL = process.env.CI !== undefined || process.argv.includes('--install');
const NOT_INSTALLED = MAY_INSTALL
  ? 'and apt-get did not install it'
  : 'and nothing is installed on this machine unasked: as root `npm run check:infra -- --install` does it with apt-get';

function aptInstall(name: string): void {
  if (!MAY_INSTALL || process.getuid?.() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  spawnSync('sh', ['-c', APT_INSTALL, 'sh', name], { env, stdio: 'ignore', timeout: 600_000 });
}

/** A program of this machine; where it is missing it is installed with apt-get by root, when that was asked for. */
export function systemTool(name: string, debianPackage = name): string {
  const isThere = (): boolean => spawnSync('sh', ['-c', 'command -v "$0"', name]).status === 0;
  if (isThere()) return name;
  aptInstall(debianPackage);
  if (!isThere()) throw new Missing(`there is no ${name}, ${NOT_INSTALLED}`);
  return name;
}

/** Docker Compose's own loader, which `docker compose config` is. */
export function composeConfig(): string {
  const program = join(TOOLS, 'bin/compose-config');
  const source = join(ROOT, 'infra/check/compose');
  mkdirSync(join(TOOLS, 'bin'), { recursive: true, mode: 0o700 });
  const built = spawnSync('go', ['build', '-trimpath', '-o', program, '.'], { cwd: source, encoding: 'utf8' });
  if (built.error !== undefined) throw new Missing('there is no go to build the loader of Docker Compose with');
  if (built.status !== 0) throw new Missing(`go could not build infra/check/compose: ${built.stderr.trim()}`);
  return program;
}
