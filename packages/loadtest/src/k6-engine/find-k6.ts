/**
 * Finds the k6 that runs the load tests: what was named, what is in PATH, what was built before; else builds it with Go, or runs
 * the official container. What is passed over is said.
 */
import { join, resolve } from 'node:path';
import { buildK6, K6BuildError } from './build-k6.ts';
import { findContainer } from './container.ts';
import { findGo } from './go-program.ts';
import { noK6, wrongK6 } from './k6-not-found.ts';
import { environmentFor, type K6Program } from './k6-program.ts';
import { askVersion, NEEDED_MAJOR, type VersionAnswer } from './k6-version.ts';
import type { Environment } from './run-program.ts';
import { findInPath, isProgram } from './search-path.ts';

export interface FindK6Options {
  /** A path, or the name of a program in PATH. */
  readonly flag?: string | undefined;
  readonly env: Environment;
  /** Has `.fest`; relative paths are relative to it. */
  readonly directory: string;
  /** Whether to build, or to pull an image, when nothing is there. */
  readonly mayBuild: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** @throws K6NotFoundError; the signal's reason */
export async function findK6(options: FindK6Options): Promise<K6Program> {
  const { env, directory, say, signal } = options;
  const named = options.flag ?? env.K6_BIN;
  if (named !== undefined && named !== '') {
    return findNamed(named, options.flag === undefined ? 'K6_BIN' : 'flag', options);
  }
  const bin = join(directory, '.fest', 'bin');
  const candidates: readonly { readonly path: string; readonly origin: 'PATH' | '.fest/bin' }[] = [
    ...findInPath('k6', env).map((path) => ({ path, origin: 'PATH' as const })),
    ...[join(bin, 'k6')].filter(isProgram).map((path) => ({ path, origin: '.fest/bin' as const })),
  ];
  const reasons: string[] = [];
  for (const { path, origin } of candidates) {
    const answer = await askVersion(path, { env: environmentFor('binary', env), signal });
    if (answer.status === 'fits') return binary(path, answer.version, origin, env);
    const reason = whyNot(path, answer);
    say(`Passing over ${reason}.`);
    reasons.push(reason);
  }
  if (candidates.length === 0) reasons.push(`none in PATH or ${bin}`);
  return makeOne(bin, reasons, options);
}

async function findNamed(named: string, origin: 'flag' | 'K6_BIN', options: FindK6Options): Promise<K6Program> {
  const { env, directory, signal } = options;
  const how = origin === 'flag' ? '--k6' : 'K6_BIN';
  const inPath = named.includes('/') ? undefined : findInPath(named, env)[0];
  const path = inPath ?? resolve(directory, named);
  if (!isProgram(path)) throw wrongK6(how, path, 'there is no program');
  const answer = await askVersion(path, { env: environmentFor('binary', env), signal });
  if (answer.status !== 'fits') throw wrongK6(how, path, whyNot(path, answer));
  return binary(path, answer.version, origin, env);
}

/** By Go, or in a container. @param reasons why there is nothing else */
async function makeOne(bin: string, reasons: string[], options: FindK6Options): Promise<K6Program> {
  const { env, mayBuild, say, signal } = options;
  const found = await findGo(env, signal);
  if ('reason' in found) reasons.push(found.reason);
  else if (!mayBuild) reasons.push(`Go ${found.go.version} could build one`);
  else {
    try {
      const path = await buildK6({ go: found.go, bin, env, say, signal });
      const answer = await askVersion(path, { env: environmentFor('binary', env), signal });
      if (answer.status === 'fits') return binary(path, answer.version, 'built', env);
      reasons.push(whyNot(path, answer));
    } catch (error) {
      if (!(error instanceof K6BuildError)) throw error;
      say(`Go could not build it: ${error.message}`);
      reasons.push(`Go could not build it: ${error.message}`);
    }
  }
  const container = await findContainer({ env, mayPull: mayBuild, say, signal });
  if ('k6' in container) return container.k6;
  throw noK6([...reasons, container.reason], bin);
}

function whyNot(path: string, answer: VersionAnswer): string {
  if (answer.status === 'noK6') return `${path}: ${answer.reason}`;
  return `${path}: it is k6 ${answer.version}, and k6 ${NEEDED_MAJOR} is needed`;
}

function binary(
  path: string,
  version: string,
  origin: Extract<K6Program, { kind: 'binary' }>['origin'],
  env: Environment,
): K6Program {
  return { kind: 'binary', path, version, origin, environment: environmentFor('binary', env) };
}
