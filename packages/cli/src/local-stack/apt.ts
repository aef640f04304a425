import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { FixableError, InterruptedError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { type EngineName, installCommand } from './engine-choice.ts';
import type { Environment } from './engine-facts.ts';
import type { StackEventListener } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import type { StackPaths } from './paths.ts';
import { openProcessLog, readLogTail } from './process-log.ts';

/**
 * The installation, as one shell script so that it cleans up after itself even when fest is killed in the middle.
 *
 * - One at a time on a machine (`flock`); apt's own lock may be held by somebody else, so failures are tried again.
 * - The packages must not start services of their own: they would take the standard ports and memory. Debian asks
 *   `/usr/sbin/policy-rc.d`; one that exists stays as it is, ours is removed at the end.
 * - MariaDB's core packages are the server without its system service, and the helper its initialisation calls; where
 *   that is not all it takes, the whole package is installed.
 */
export const INSTALL_SCRIPT = `
set -u
exec 9>/run/lock/fest-apt.lock
flock -w 900 9 || { echo 'another installation does not end'; exit 1; }
policy=/usr/sbin/policy-rc.d
if [ -f "$policy" ] && grep -q 'made by fest' "$policy"; then rm -f "$policy"; fi
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\n# made by fest while it installs; safe to delete\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" 9>&-; }
try() { for pause in 2 5 10 20 0; do "$@" && return 0; echo "failed: $*"; [ "$pause" = 0 ] || sleep "$pause"; done; return 1; }
try apt update || echo 'apt-get update failed; trying with the lists that are there'
packages=
for engine in "$@"; do
  case $engine in
    redis) if apt-cache show redis-server >/dev/null 2>&1; then packages="$packages redis-server"; else packages="$packages valkey-server"; fi ;;
    mysql) if apt-cache show mariadb-server-core >/dev/null 2>&1; then packages="$packages mariadb-server-core mariadb-client-core"; else packages="$packages mariadb-server"; fi ;;
  esac
done
try apt install -y --no-install-recommends $packages || exit 1
case " $* " in
  *' mysql '*) command -v mariadb-install-db >/dev/null && command -v my_print_defaults >/dev/null || try apt install -y --no-install-recommends mariadb-server ;;
esac
`;

/** Installs server programs with apt-get and says so. Its whole output is in `.fest/logs/apt.log`. */
export async function installEngines(options: {
  readonly engines: readonly EngineName[];
  readonly paths: StackPaths;
  readonly env: Environment;
  readonly emit: StackEventListener;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { engines, paths, emit, signal } = options;
  const logFile = join(paths.logs, 'apt.log');
  const names = engines.map((engine) => (engine === 'redis' ? 'Redis' : 'MariaDB')).join(' and ');
  emit({
    type: 'progress',
    message: `${names} not found: installing with apt-get (system packages; no service is started). Log: ${logFile}`,
  });
  const log = openProcessLog(logFile);
  const child = spawn('/bin/sh', ['-c', INSTALL_SCRIPT, 'fest-install', ...engines], {
    env: { ...options.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', log.descriptor, log.descriptor],
    // Its own session: an installation is not torn apart by a Ctrl-C.
    detached: true,
    timeout: STACK_LIMITS.installTimeoutMs,
  });
  closeSync(log.descriptor);
  const sayWait = () =>
    emit({ type: 'progress', message: 'Waiting for apt-get to finish; a half-done one would need repair.' });
  signal?.addEventListener('abort', sayWait, { once: true });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  signal?.removeEventListener('abort', sayWait);
  if (signal?.aborted === true) throw new InterruptedError();
  if (exitCode !== 0) {
    throw new FixableError({
      what: `Installing ${names} failed`,
      why: readLogTail(logFile, log.offset)
        .map((line) => `  | ${line}`)
        .join('\n'),
      fix: `Run it yourself and see what it says:\n  ${installCommand(engines, process.platform)}`,
      exitCode: EXIT.unreachable,
    });
  }
}
