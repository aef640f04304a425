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
  /** What it is run with: see `goEnvironment`. */
  readonly environment: Environment;
}

/** Of Go, as `go.mod` says: `1.26.0`. */
export function neededGo(): string {
  const [, version] = /^go (\S+)$/m.exec(readFileSync(join(BUILD_FOLDER, 'go.mod'), 'utf8')) ?? [];
  if (version === undefined) throw new Error(`${BUILD_FOLDER}/go.mod does not say which Go it needs`);
  return version;
}

type GoAnswer = { readonly go: GoProgram } | { readonly reason: string };

/** Looks for Go in PATH. What is there and does not do is said in `reason`. */
export async function findGo(env: Environment, signal: AbortSignal): Promise<GoAnswer> {
  const needed = neededGo();
  let answer: GoAnswer = { reason: 'there is no Go in PATH' };
  for (const path of findInPath('go', env)) {
    answer = await askGo(path, { env, needed, signal });
    if ('go' in answer) return answer;
  }
  return answer;
}

interface Asking {
  readonly env: Environment;
  readonly needed: string;
  readonly signal: AbortSignal;
}

async function askGo(path: string, { env, needed, signal }: Asking): Promise<GoAnswer> {
  const ask = async (environment: Environment, ...args: readonly string[]): Promise<string> => {
    const options = { env: environment, timeoutMs: K6_LIMITS.versionTimeoutMs, signal };
    return (await runProgram(path, ['env', ...args], options)).stdout.trim();
  };
  const [, version] = /^go(\d+\.\d+(?:\.\d+)?)/.exec(await ask(goEnvironment(env), 'GOVERSION')) ?? [];
  if (version === undefined) return { reason: `${path} does not say its version` };
  if (!isAtLeast(version, needed)) return { reason: `${path} is Go ${version}, and ${needed} is needed` };
  // Of `go env -w` as well.
  const environment = goEnvironment(env, settingsIn(await ask({ ...env, GOTOOLCHAIN: 'local' }, '-json', ...KEPT)));
  const [database = '', without = ''] = (await ask(environment, 'GOSUMDB', 'GONOSUMDB')).split('\n');
  if (database === 'off' || without !== '') {
    const how = database === 'off' ? 'GOSUMDB=off: name one in that variable' : `GONOSUMDB=${without}: remove that`;
    return { reason: `${path} asks no checksum database, as its own folder's go.env says (${how}, or use another Go)` };
  }
  return { go: { path, version, environment } };
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

/** Settings that say where things are: whatever they are, sums are compared. */
const KEPT = ['GOPROXY', 'GOSUMDB', 'GOAUTH', 'GOPATH', 'GOMODCACHE', 'GOCACHE'] as const;
type Kept = (typeof KEPT)[number];

/** What `go env -json` says; nothing when it says something else. */
function settingsIn(text: string): Readonly<Partial<Record<Kept, string>>> {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    // Then Go's own defaults do.
    return {};
  }
  const settings = said as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    KEPT.flatMap((name) => {
      const value = settings[name];
      const isOff = name === 'GOSUMDB' && value === 'off';
      return typeof value !== 'string' || value === '' || isOff ? [] : [[name, value]];
    }),
  );
}

/**
 * What Go sees. Nothing that switches a check off comes along, nor flags that may: sums are compared with `go.sum`, which a build
 * never changes, and what would not be in there with the checksum database. An empty variable would not do against `go env -w`,
 * so that file is not read.
 * @param settings of that file, of those that do no harm
 */
export function goEnvironment(env: Environment, settings: Readonly<Partial<Record<Kept, string>>> = {}): Environment {
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !SWITCHES.includes(name)));
  return {
    ...rest,
    ...settings,
    GOENV: 'off',
    GOFLAGS: '-mod=readonly',
    // No other Go is fetched for it, and no workspace of the user's takes part.
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    CGO_ENABLED: '0',
  };
}

/** With these a module may do without the checksum database, or with an insecure line to it. `GOSUMDB` comes back unless it is off. */
const SWITCHES: readonly string[] = ['GOFLAGS', 'GOPRIVATE', 'GONOSUMDB', 'GONOSUMCHECK', 'GOINSECURE', 'GOSUMDB'];
