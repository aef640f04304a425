/** The Go that builds k6: whether there is one, and what it sees. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { K6_LIMITS } from './limits.ts';
import { type Environment, runProgram } from './run-program.ts';
import { findInPath } from './search-path.ts';

/** With `go.mod` and `go.sum`; both are beside the built code's folder, too. */
export const BUILD_FOLDER = fileURLToPath(new URL('../../k6-build', import.meta.url));

export interface GoProgram {
  readonly path: string;
  /** `1.26.8` */
  readonly version: string;
}

/** Of Go, as `go.mod` says: `1.26.0`. */
export function neededGo(): string {
  const [, version] = /^go (\S+)$/m.exec(readFileSync(join(BUILD_FOLDER, 'go.mod'), 'utf8')) ?? [];
  if (version === undefined) throw new Error(`${BUILD_FOLDER}/go.mod does not say which Go it needs`);
  return version;
}

/** Looks for Go in PATH. What is there and does not do is said in `reason`. */
export async function findGo(
  env: Environment,
  signal: AbortSignal,
): Promise<{ readonly go: GoProgram } | { readonly reason: string }> {
  const needed = neededGo();
  let reason = 'there is no Go in PATH';
  for (const path of findInPath('go', env)) {
    const options = { env: goEnvironment(env), timeoutMs: K6_LIMITS.versionTimeoutMs, signal };
    const { stdout } = await runProgram(path, ['env', 'GOVERSION'], options);
    const [, version] = /^go(\d+\.\d+(?:\.\d+)?)/.exec(stdout) ?? [];
    if (version !== undefined && isAtLeast(version, needed)) return { go: { path, version } };
    reason =
      version === undefined ? `${path} does not say its version` : `${path} is Go ${version}, and ${needed} is needed`;
  }
  return { reason };
}

/** Both as `1.26.8`; a part that is missing is 0. */
export function isAtLeast(version: string, needed: string): boolean {
  const [have, want] = [version.split('.').map(Number), needed.split('.').map(Number)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (have[index] ?? 0) - (want[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * What Go sees. Nothing that switches a check off comes along, nor flags that may: sums are compared with `go.sum`, which a build
 * never changes, and what would not be in there with the checksum database.
 */
export function goEnvironment(env: Environment): Environment {
  const { GOFLAGS: _, GONOSUMDB: __, GONOSUMCHECK: ___, GOINSECURE: ____, GOSUMDB, ...rest } = env;
  return {
    ...rest,
    ...(GOSUMDB === undefined || GOSUMDB === 'off' ? {} : { GOSUMDB }),
    GOFLAGS: '-mod=readonly',
    // No other Go is fetched for it, and no workspace of the user's takes part.
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    CGO_ENABLED: '0',
  };
}
