/** The two engines fest stands on. */
export type EngineName = 'redis' | 'mysql';

export const ENGINE_NAMES: readonly EngineName[] = ['redis', 'mysql'];

/** A server program found on this machine. */
export interface EngineProgram {
  readonly path: string;
  readonly flavour: 'redis' | 'valkey' | 'mysql' | 'mariadb';
  /** What initialises an empty data folder, where that is a program of its own (MariaDB). */
  readonly initialiser?: string;
}

export type Availability = { readonly available: true } | { readonly available: false; readonly reason: string };

/** What was found out about this machine, for {@link chooseEngineSource}. */
export interface EngineFacts {
  /** `FEST_REDIS_URL` and `FEST_MYSQL_URL`. */
  readonly givenUrls: Readonly<Partial<Record<EngineName, string>>>;
  readonly programs: Readonly<Partial<Record<EngineName, EngineProgram>>>;
  readonly docker: Availability;
  /** Whether packages can be installed here: root, on Debian or a relative, and not forbidden. */
  readonly apt: Availability;
  readonly platform: string;
}

/** Where an engine comes from. */
export type EngineSource =
  | { readonly kind: 'given'; readonly url: string }
  | { readonly kind: 'private'; readonly program: EngineProgram }
  | { readonly kind: 'docker' }
  | { readonly kind: 'install' }
  | { readonly kind: 'missing'; readonly reasons: readonly string[] };

/**
 * The ladder, one engine at a time: what was given, else a private server of an installed program, else Docker, else an
 * installation, else nothing. Each rung is less sure to suit the user than the one before.
 */
export function chooseEngineSource(engine: EngineName, facts: EngineFacts): EngineSource {
  const url = facts.givenUrls[engine];
  if (url !== undefined) return { kind: 'given', url };
  const program = facts.programs[engine];
  if (program !== undefined) return { kind: 'private', program };
  if (facts.docker.available) return { kind: 'docker' };
  if (facts.apt.available) return { kind: 'install' };
  return { kind: 'missing', reasons: [`Docker: ${facts.docker.reason}`, `installing: ${facts.apt.reason}`] };
}

const PACKAGES = { redis: 'redis-server', mysql: 'mariadb-server' } as const;

/** The command a user can run to get the missing engines, for this kind of machine. */
export function installCommand(missing: readonly EngineName[], platform: string): string {
  if (platform === 'darwin') {
    return `brew install ${missing.map((engine) => (engine === 'redis' ? 'redis' : 'mariadb')).join(' ')}`;
  }
  const packages = missing.map((engine) => PACKAGES[engine]).join(' ');
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages}`;
}

/** One sentence about where an engine comes from, for `fest up` and `fest doctor`. */
export function describeSource(engine: EngineName, source: EngineSource): string {
  switch (source.kind) {
    case 'given':
      return `the one in FEST_${engine.toUpperCase()}_URL`;
    case 'private':
      return `a private server of ${source.program.path}`;
    case 'docker':
      return 'a container of the Docker engine';
    case 'install':
      return 'a private server, installed with apt-get first';
    case 'missing':
      return 'nowhere: it is not installed and cannot be installed from here';
  }
}
