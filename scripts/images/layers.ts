/**
 * Builds images without a container engine, for machines that have none: each stage is a folder laid over the system of this
 * machine (overlayfs, in a mount namespace of its own), which stands in for the base images (`system.ts`). So the Dockerfile's own steps are run,
 * in its own order, and what they leave is what an engine would put into the layers.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import type { Stage, Step } from './dockerfile.ts';
import { MOUNT_SYSTEM } from './system.ts';

export interface BuiltStage {
  readonly name: string;
  /** What it has changed, from the last stage to the first: the lower folders of an overlay, the system's at the end. */
  readonly layers: readonly string[];
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly health: readonly string[];
  readonly volumes: readonly string[];
}

export interface BuildOptions {
  /** An empty folder of this machine's own disk. */
  readonly directory: string;
  /** See `makeSystem`. */
  readonly system: string;
  /** What was copied for the build. */
  readonly context: string;
  readonly say: (line: string) => void;
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What `npm run` tells its scripts of its own folders and of how much it says: inside they are elsewhere, and errors have to be seen. */
const OF_THIS_RUN = /^npm_config_(?:.*prefix|.*config|cache|init_module|node_gyp|call|loglevel)$/i;

/** How npm is set up here, which base images do not know. */
export function npmSettings(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const isSetting = (name: string): boolean =>
    /^npm_config_|_proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name) && !OF_THIS_RUN.test(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isSetting(name)));
}

/** @returns the stages that `target` is made of, it last */
export function stagesOf(stages: readonly Stage[], target: string): readonly Stage[] {
  const wanted = stages.find(({ name }) => name === target);
  if (wanted === undefined) return [];
  const from = wanted.steps.flatMap((step) => (step.kind === 'copy' && step.from !== undefined ? [step.from] : []));
  const others = [wanted.base, ...from].flatMap((name) => stagesOf(stages, name));
  return [...new Set([...others, wanted])];
}

export function buildStage(stage: Stage, built: ReadonlyMap<string, BuiltStage>, options: BuildOptions): BuiltStage {
  const base = built.get(stage.base);
  const layer = join(options.directory, stage.name, 'layer');
  mkdirSync(layer, { recursive: true, mode: 0o755 });
  let state: BuiltStage = {
    workdir: '/',
    env: { PATH: SYSTEM_PATH },
    user: '0:0',
    command: [],
    entrypoint: [],
    health: [],
    volumes: [],
    ...base,
    name: stage.name,
    layers: [layer, ...(base?.layers ?? [options.system])],
  };
  for (const step of stage.steps) state = carryOut(step, state, { built, options });
  return state;
}

interface Around {
  readonly built: ReadonlyMap<string, BuiltStage>;
  readonly options: BuildOptions;
}

function carryOut(step: Step, state: BuiltStage, around: Around): BuiltStage {
  switch (step.kind) {
    case 'run':
      run(step.command, state, around.options);
      return state;
    case 'copy':
      copy(step, state, around);
      return state;
    case 'workdir': {
      const workdir = posix.resolve(state.workdir, step.path);
      mkdirSync(inLayer(state, workdir), { recursive: true });
      return { ...state, workdir };
    }
    case 'env':
      return { ...state, env: { ...state.env, ...step.values } };
    case 'user':
      return { ...state, user: step.user };
    case 'command':
      return { ...state, command: step.words };
    case 'entrypoint':
      return { ...state, entrypoint: step.words };
    case 'health':
      return { ...state, health: step.words };
    case 'volume':
      return { ...state, volumes: step.paths };
    case 'expose':
    case 'stopSignal':
      return state;
  }
}

function inLayer({ layers: [layer = ''] }: BuiltStage, path: string): string {
  return join(layer, path);
}

function copy(step: Extract<Step, { kind: 'copy' }>, state: BuiltStage, { built, options }: Around): void {
  const target = posix.resolve(state.workdir, step.target);
  const intoFolder = step.target.endsWith('/') || step.sources.length > 1;
  for (const source of step.sources) {
    const places = step.from === undefined ? [join(options.context, source)] : found(built.get(step.from), source);
    for (const from of places) {
      const isFolder = statSync(from).isDirectory();
      const to = inLayer(state, isFolder || !intoFolder ? target : join(target, basename(source)));
      cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** The file or folder in each layer of the stage that has it, the lowest first. */
function found(stage: BuiltStage | undefined, path: string): readonly string[] {
  const absolute = posix.resolve('/', path);
  const places = (stage?.layers ?? []).map((layer) => join(layer, absolute)).filter((place) => existsSync(place));
  if (places.length === 0) throw new Error(`${path} is not in the stage ${stage?.name}`);
  return places.toReversed();
}

/** In a mount namespace: the layers over this machine's system, written into the uppermost. */
function run(command: string, state: BuiltStage, { directory, say }: BuildOptions): void {
  say(`${state.name}: ${command}`);
  const root = join(directory, state.name, 'root');
  const work = join(directory, state.name, 'work');
  mkdirSync(root, { recursive: true });
  mkdirSync(work, { recursive: true });
  const [upper, ...lower] = state.layers;
  const script = `set -e
root='${root}'
mount -t overlay overlay -o "lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}" "$root"
${MOUNT_SYSTEM}
exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec /bin/sh -c "$1"' sh "$1" "$2"`;
  const result = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', state.workdir, command], {
    env: { ...npmSettings(process.env), HOME: '/root', ...state.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0)
    throw new Error(`${state.name}: \`${command}\` ended with ${result.status ?? result.signal}`);
}
