/** Makes a k6 with the Go that is there: the version that `k6-build/go.mod` pins, checked against the sums of `go.sum`. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withBuildLock } from './build-lock.ts';
import { BUILD_FOLDER, type GoProgram } from './go-program.ts';
import { askVersion, PINNED_VERSION } from './k6-version.ts';
import { K6_LIMITS } from './limits.ts';
import type { Environment } from './run-program.ts';

export const K6_PACKAGE = 'go.k6.io/k6/v2';
const WORK_FOLDER = 'k6-build-';

export class K6BuildError extends Error {
  override readonly name = 'K6BuildError';
}

/**
 * Builds k6 into `<bin>/k6`, or waits for whoever is at it. It appears there whole or not at all.
 * @param options.bin a folder, made if need be
 * @returns the path
 * @throws K6BuildError with what Go said; the signal's reason
 */
export async function buildK6(options: {
  readonly go: GoProgram;
  readonly bin: string;
  readonly env: Environment;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { go, bin, env, say, signal } = options;
  mkdirSync(bin, { recursive: true });
  const target = join(bin, 'k6');
  const before = modifiedAt(target);
  let waited = false;
  const onWait = (): void => {
    waited = true;
    say('Another fest is building k6 here: waiting for it.');
  };
  return withBuildLock(join(bin, 'k6.lock'), { signal, onWait }, async () => {
    if (waited && modifiedAt(target) !== before && (await isPinned(target, env, signal))) return target;
    removeLeftovers(bin);
    const work = mkdtempSync(join(bin, WORK_FOLDER));
    try {
      const made = join(work, 'k6');
      say(`No k6 here: building v${PINNED_VERSION} with Go ${go.version}. That takes a minute or two, once.`);
      const startedAt = performance.now();
      await runGo(['build', '-v', '-trimpath', '-o', made, K6_PACKAGE], { ...options, work });
      if (!(await isPinned(made, env, signal))) {
        throw new K6BuildError(`what was built does not say that it is k6 v${PINNED_VERSION}`);
      }
      chmodSync(made, 0o755);
      renameSync(made, target);
      say(`Built ${target} in ${Math.round((performance.now() - startedAt) / 1_000)} s.`);
      return target;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
}

async function isPinned(path: string, env: Environment, signal: AbortSignal): Promise<boolean> {
  const answer = await askVersion(path, { env, signal });
  return answer.status === 'fits' && answer.version === `v${PINNED_VERSION}`;
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** Of builds that were killed. Whoever holds the lock is the only one that builds. */
function removeLeftovers(bin: string): void {
  for (const name of readdirSync(bin)) {
    if (name.startsWith(WORK_FOLDER)) rmSync(join(bin, name), { recursive: true, force: true });
  }
}

async function runGo(
  args: readonly string[],
  options: {
    readonly go: GoProgram;
    readonly work: string;
    readonly say: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { go, say, signal } = options;
  signal.throwIfAborted();
  const startedAt = performance.now();
  const child = spawn(go.path, args, {
    cwd: BUILD_FOLDER,
    // What Go leaves behind when it is killed is in our folder, too.
    env: { ...go.environment, GOTMPDIR: options.work },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const news = new BuildNews();
  createInterface({ input: child.stderr }).on('line', (line) => news.hear(line));
  const telling = setInterval(() => {
    say(`Still building k6: ${news.text()}, ${Math.round((performance.now() - startedAt) / 1_000)} s.`);
  }, K6_LIMITS.buildNewsMs);
  const stop = (): void => {
    // Go ends what it is at, removes its folders and goes.
    child.kill('SIGINT');
    killing ??= setTimeout(() => child.kill('SIGKILL'), K6_LIMITS.buildStopMs);
  };
  let killing: NodeJS.Timeout | undefined;
  let tookTooLong = false;
  const bound = setTimeout(() => {
    tookTooLong = true;
    stop();
  }, K6_LIMITS.buildTimeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (tookTooLong) throw new K6BuildError(`Go was not done after ${K6_LIMITS.buildTimeoutMs / 60_000} minutes`);
    if (exitCode !== 0) throw new K6BuildError(news.complaints() || `Go ended with ${exitCode ?? 'a signal'}`);
  } finally {
    clearInterval(telling);
    clearTimeout(bound);
    clearTimeout(killing);
    signal.removeEventListener('abort', stop);
  }
}

/** What Go says while it builds, in a few words. */
class BuildNews {
  #downloads = 0;
  #packages = 0;
  readonly #others: string[] = [];

  hear(line: string): void {
    if (line.startsWith('go: downloading ')) this.#downloads += 1;
    // `-v` names each package when it is compiled: a path without spaces.
    else if (/^[\w./~-]+$/.test(line)) this.#packages += 1;
    else if (this.#others.push(line) > K6_LIMITS.reasonLines) this.#others.shift();
  }

  text(): string {
    return this.#packages === 0 ? `${this.#downloads} modules downloaded` : `${this.#packages} packages compiled`;
  }

  complaints(): string {
    return this.#others.join('\n').slice(0, K6_LIMITS.reasonCharacters);
  }
}
