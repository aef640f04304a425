import { K6_LIMITS } from './limits.ts';
import { type Environment, runProgram } from './run-program.ts';

/** What is built, or run as a container; `k6-build/go.mod` names the same. */
export const PINNED_VERSION = '2.2.0';
/** The scripts use what came with it, and do not use what went with it. */
export const NEEDED_MAJOR = 2;

export type VersionAnswer =
  | { readonly status: 'fits' | 'otherMajor' /** `v2.2.0` */; readonly version: string }
  | { readonly status: 'noK6' /** What it said instead. */; readonly reason: string };

/** @param text what `k6 version` prints: `k6 v2.2.0 (go1.26.8, linux/amd64)` */
export function parseVersion(text: string): VersionAnswer {
  const [, version, major] = /^k6(?:\.exe)? (v?(\d+)\.\d+\.\d+\S*)/m.exec(text) ?? [];
  if (version === undefined) {
    const said = text.trim().slice(0, 200);
    return { status: 'noK6', reason: said === '' ? 'it says nothing when asked for its version' : `it says: ${said}` };
  }
  return { status: Number(major) === NEEDED_MAJOR ? 'fits' : 'otherMajor', version };
}

/** Asks a program whether it is a k6 that fits. @throws the signal's reason */
export async function askVersion(
  path: string,
  options: { readonly env: Environment; readonly signal: AbortSignal },
): Promise<VersionAnswer> {
  const { exitCode, stdout, stderr } = await runProgram(path, ['version'], {
    ...options,
    timeoutMs: K6_LIMITS.versionTimeoutMs,
  });
  if (exitCode === 0) return parseVersion(stdout);
  const said = (stderr === '' ? stdout : stderr).trim().slice(0, 200);
  return { status: 'noK6', reason: said === '' ? `it ends with ${exitCode ?? 'a signal'}` : said };
}
