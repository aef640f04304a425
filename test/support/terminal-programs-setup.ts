/**
 * What the end-to-end tests need of a machine besides the engines: a terminal (tmux) and the shells that `fest completion` is for. Where
 * they are missing they are installed, as `fest up` installs its engines; where that cannot be, it is said, and in CI nothing runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Program → Debian package. */
const PROGRAMS = { tmux: 'tmux', zsh: 'zsh', fish: 'fish', script: 'bsdutils' } as const;
const INSTALL_TIMEOUT_MS = 600_000;

/** Others on this machine may be installing, too. */
const INSTALL = `
exec 9>/run/lock/fest-apt.lock
flock -w 500 9 || exit 1
apt-get -q -o DPkg::Lock::Timeout=300 update || true
apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y --no-install-recommends "$@"
`;

export function missingPrograms(): readonly (keyof typeof PROGRAMS)[] {
  const isThere = (name: string): boolean => spawnSync('/bin/sh', ['-c', `command -v ${name}`]).status === 0;
  return (Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]).filter((name) => !isThere(name));
}

export default function setup(): void {
  const packages = missingPrograms().map((name) => PROGRAMS[name]);
  if (packages.length === 0) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write(`Installing ${packages.join(', ')} with apt-get, for the end-to-end tests.\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const args = ['-c', INSTALL, 'fest-install', ...packages];
    const { status, stdout, stderr } = spawnSync('/bin/sh', args, { env, timeout: INSTALL_TIMEOUT_MS });
    if (status !== 0) process.stderr.write(`${stdout}${stderr}`);
  }
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const what = `${missing.join(', ')}: not here. Without them end-to-end tests fail or are skipped: apt-get install ${missing.map((name) => PROGRAMS[name]).join(' ')}`;
  if (process.env.CI === 'true') throw new Error(what);
  process.stderr.write(`\n!!! ${what}\n\n`);
}
