import type { Environment } from './run-program.ts';

/** A k6 that was found, and has the right version. */
export type K6Program =
  | {
      readonly kind: 'binary';
      readonly path: string;
      /** `v2.2.0` */
      readonly version: string;
      readonly origin: 'flag' | 'K6_BIN' | 'PATH' | '.fest/bin' | 'built';
      /** What it is run with: see `environmentFor`. */
      readonly environment: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'container';
      readonly engine: 'docker' | 'podman';
      readonly image: string;
      /** Of the engine's command. */
      readonly path: string;
      readonly version: string;
      readonly origin: 'container';
      readonly environment: Readonly<Record<string, string>>;
    };

/** How to reach the network, and how much of the machine to use. */
const FOR_ALL = [
  'PATH',
  'TMPDIR',
  'TZ',
  'LANG',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'GOMAXPROCS',
  'GOGC',
  'GOMEMLIMIT',
] as const;

/** How a client of containers finds its daemon. */
const FOR_ENGINES = [
  'HOME',
  'USER',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_CERT_PATH',
  'DOCKER_TLS_VERIFY',
  'CONTAINER_HOST',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
] as const;

/**
 * What a k6 may see of the user's environment. Everything else stays away: `K6_VUS` or `K6_DURATION` would make another test of
 * ours than the result says, `K6_OUT` would send it elsewhere, and so would the options in the user's `k6/config.json`, which is
 * found by `HOME`.
 */
export function environmentFor(kind: K6Program['kind'], env: Environment): Readonly<Record<string, string>> {
  const names = kind === 'binary' ? FOR_ALL : [...FOR_ALL, ...FOR_ENGINES];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
