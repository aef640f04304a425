/** The official image of k6, where there is neither a k6 nor a Go, but Docker or Podman. */
import { existsSync } from 'node:fs';
import type { K6Program } from './k6-program.ts';
import { environmentFor } from './k6-program.ts';
import { PINNED_VERSION, parseVersion } from './k6-version.ts';
import { K6_LIMITS } from './limits.ts';
import { type Environment, runProgram } from './run-program.ts';
import { findInPath } from './search-path.ts';

/** Its tag is that of the version that would be built. */
export const K6_IMAGE = `grafana/k6:${PINNED_VERSION}`;
export const CONTAINER_ENGINES = ['docker', 'podman'] as const;

export type ContainerAnswer = { readonly k6: K6Program } | { readonly reason: string };

/**
 * The first engine whose daemon answers, with the image, which is pulled when `mayPull`.
 * @throws the signal's reason
 */
export async function findContainer(options: {
  readonly env: Environment;
  readonly mayPull: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<ContainerAnswer> {
  const reasons: string[] = [];
  for (const engine of CONTAINER_ENGINES) {
    const [path] = findInPath(engine, options.env);
    if (path === undefined) continue;
    const answer = await askEngine(engine, path, options);
    if ('k6' in answer) return answer;
    reasons.push(answer.reason);
  }
  return { reason: reasons.length === 0 ? 'there is neither docker nor podman in PATH' : reasons.join('; ') };
}

async function askEngine(
  engine: (typeof CONTAINER_ENGINES)[number],
  path: string,
  options: Parameters<typeof findContainer>[0],
): Promise<ContainerAnswer> {
  const { mayPull, say, signal } = options;
  const environment = environmentFor('container', options.env);
  const run = (args: readonly string[], timeoutMs: number) =>
    runProgram(path, args, { env: environment, timeoutMs, signal });

  const daemon = await run(['info'], K6_LIMITS.containerAnswerTimeoutMs);
  if (daemon.exitCode !== 0) return { reason: `${engine} is here, but does not answer` };
  const local = await run(['image', 'inspect', K6_IMAGE], K6_LIMITS.containerAnswerTimeoutMs);
  if (local.exitCode !== 0) {
    if (!mayPull) return { reason: `${engine} is here, but not the image ${K6_IMAGE}` };
    say(`No k6 and no Go here: pulling ${K6_IMAGE} with ${engine}.`);
    const pull = await run(['pull', '--quiet', K6_IMAGE], K6_LIMITS.pullTimeoutMs);
    if (pull.exitCode !== 0) return { reason: `${engine} cannot pull ${K6_IMAGE}: ${firstLine(pull.stderr)}` };
  }
  const said = await run(['run', '--rm', '--network', 'none', K6_IMAGE, 'version'], K6_LIMITS.versionTimeoutMs);
  const answer = parseVersion(said.stdout);
  if (said.exitCode !== 0 || answer.status !== 'fits') {
    return { reason: `${engine} cannot run ${K6_IMAGE}: ${firstLine(said.stderr || said.stdout)}` };
  }
  say(`Running k6 ${answer.version} as a container of ${K6_IMAGE}.`);
  return {
    k6: { kind: 'container', engine, image: K6_IMAGE, path, version: answer.version, origin: 'container', environment },
  };
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, K6_LIMITS.reasonCharacters) || 'it does not say why';
}

/**
 * Arguments before those of k6. The container sees the machine's network, so that loopback is the machine's, and the folders at the
 * paths they have outside; it belongs to whoever runs it, so that what it writes does, too.
 * @param options.writable the folder of the result
 * @param options.readable folders of the script and of what it reads
 */
export function containerArguments(options: {
  readonly k6: Extract<K6Program, { kind: 'container' }>;
  readonly name: string;
  readonly writable: string;
  readonly readable: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** Undefined where the system has none. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}): readonly string[] {
  const { k6, writable, user } = options;
  const readable = [...new Set(options.readable)].filter((folder) => folder !== writable && existsSync(folder));
  return [
    'run',
    '--rm',
    '--name',
    options.name,
    '--network',
    'host',
    ...(k6.engine === 'podman' ? ['--security-opt', 'label=disable'] : []),
    // Podman without root maps its user to nobody otherwise.
    ...(k6.engine === 'podman' && user?.uid !== 0 ? ['--userns', 'keep-id'] : []),
    ...(user === undefined ? [] : ['--user', `${user.uid}:${user.gid}`]),
    '--ulimit',
    'nofile=65536:65536',
    ...readable.flatMap((folder) => ['--volume', `${folder}:${folder}:ro`]),
    '--volume',
    `${writable}:${writable}`,
    '--workdir',
    writable,
    ...Object.entries(options.variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    k6.image,
  ];
}
