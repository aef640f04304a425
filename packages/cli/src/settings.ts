import { join, resolve } from 'node:path';
import type { Context, GlobalOptions } from './context.ts';
import { FixableError, messageOf } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { findLocalState, type LocalState } from './local-stack/local-state.ts';
import { stackPaths } from './local-stack/paths.ts';
import { isRecord, readFileIfPresent } from './private-files.ts';
import {
  type ChosenProfile,
  chooseProfile,
  type Environment,
  type ProfileKey,
  type Profiles,
  parseProfiles,
} from './profiles.ts';

/** Where a setting came from, strongest first. */
export type SettingSource = 'flag' | 'environment' | 'profile' | 'file' | 'local stack' | 'default';

export interface Setting<T> {
  readonly value: T;
  readonly source: SettingSource;
}

export interface Settings {
  /** Absolute folder of the stack. */
  readonly directory: string;
  /** Base URL of the server, without a slash at its end. */
  readonly url: Setting<string>;
  readonly port?: Setting<number>;
  readonly servers: Setting<number>;
  readonly redisUrl?: Setting<string>;
  readonly mysqlUrl?: Setting<string>;
  readonly email?: Setting<string>;
  /** The environment that was chosen; undefined: none, so it is the local stack or whatever an address names. */
  readonly environment?: Environment;
  /** The stack that runs in the folder. */
  readonly localState?: LocalState;
}

/** Command-line flags that are settings. */
export interface SettingFlags extends GlobalOptions {
  readonly port?: string;
  readonly servers?: string;
  readonly email?: string;
}

export const CONFIG_FILE = 'fest.config.yaml';
const CONFIG_KEYS = ['url', 'port', 'servers', 'redisUrl', 'mysqlUrl', 'email'] as const;
type ConfigKey = (typeof CONFIG_KEYS)[number];

/** What `fest.config.yaml` says: names of settings with values still unchecked. */
export interface ConfigFile extends Readonly<Partial<Record<ConfigKey, string>>> {
  readonly profiles?: Profiles;
}

/** Reads the configuration file and the local stack's state, then decides. */
export async function loadSettings(context: Context, flags: SettingFlags): Promise<Settings> {
  const directory = findDirectory(context, flags);
  const file = await readConfigFile(directory);
  const localState = findLocalState(stackPaths(directory).localState);
  return resolveSettings({ directory, flags, env: context.env, file, localState });
}

/** The environments there are; also when one is chosen that is not among them. */
export async function listProfiles(context: Context, flags: SettingFlags): Promise<Profiles> {
  return (await readConfigFile(findDirectory(context, flags))).profiles ?? {};
}

function findDirectory({ cwd, env }: Context, { dir }: SettingFlags): string {
  return resolve(cwd, dir ?? (env.FEST_DIR || '.'));
}

async function readConfigFile(directory: string): Promise<ConfigFile> {
  const path = join(directory, CONFIG_FILE);
  const text = readFileIfPresent(path);
  return text === undefined ? {} : parseConfigFile(text, path);
}

/**
 * Flags before environment before profile before configuration file before the local stack before defaults. A profile that a flag
 * chooses goes before the environment: it was meant just now.
 */
export function resolveSettings(input: {
  readonly directory: string;
  readonly flags: SettingFlags;
  readonly env: Context['env'];
  readonly file: ConfigFile;
  readonly localState?: LocalState | undefined;
}): Settings {
  const { directory, flags, env, localState } = input;
  const chosen = chooseProfile(input.file.profiles ?? {}, flags.profile, env.FEST_PROFILE);
  // What else the file or this machine's stack says is about another environment.
  const file = chosen === undefined ? input.file : keepShared(input.file);
  const find = (
    key: ConfigKey,
    options: { readonly flag?: string | undefined; readonly local?: string | undefined },
  ): Found | undefined => {
    const ofProfile = chosen?.profile[key as ProfileKey];
    const profile = chosen && ofProfile !== undefined && fromProfile(chosen, key, ofProfile);
    const variable = `FEST_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    if (options.flag !== undefined) return { value: options.flag, source: 'flag', where: `--${key}` };
    if (profile && chosen.source === 'flag') return profile;
    const fromEnv = env[variable];
    if (fromEnv !== undefined && fromEnv !== '') return { value: fromEnv, source: 'environment', where: variable };
    if (profile) return profile;
    const fromFile = file[key];
    if (fromFile !== undefined) return { value: fromFile, source: 'file', where: `${key} in ${CONFIG_FILE}` };
    if (options.local !== undefined && chosen === undefined)
      return { value: options.local, source: 'local stack', where: '.fest/local.json' };
    return undefined;
  };
  const url = find('url', { flag: flags.url, local: localState?.baseUrls[0] });
  const port = find('port', { flag: flags.port });
  const servers = find('servers', { flag: flags.servers });
  const redisUrl = find('redisUrl', { local: localState?.redisUrl });
  const mysqlUrl = find('mysqlUrl', { local: localState?.mysqlUrl });
  const email = find('email', { flag: flags.email });
  return {
    directory,
    url: url === undefined ? { value: 'http://127.0.0.1:8080', source: 'default' } : parseBaseUrl(url),
    ...(port === undefined ? {} : { port: parseInteger(port, 1, 65_535) }),
    servers: servers === undefined ? { value: 1, source: 'default' } : parseInteger(servers, 1, 32),
    ...(redisUrl === undefined ? {} : { redisUrl: parseEngineUrl(redisUrl, ['redis:', 'rediss:']) }),
    ...(mysqlUrl === undefined ? {} : { mysqlUrl: parseEngineUrl(mysqlUrl, ['mysql:']) }),
    ...(email === undefined ? {} : { email }),
    ...(chosen === undefined ? {} : { environment: chosen.environment }),
    ...(localState === undefined ? {} : { localState }),
  };
}

/** How a stack is started here has nothing to do with another environment. */
function keepShared({ port, servers }: ConfigFile): ConfigFile {
  return { ...(port === undefined ? {} : { port }), ...(servers === undefined ? {} : { servers }) };
}

function fromProfile({ environment }: ChosenProfile, key: string, value: string): Found {
  return { value, source: 'profile', where: `${key} of the profile ${environment.name} in ${CONFIG_FILE}` };
}

/** @throws FixableError naming the file and the key */
export async function parseConfigFile(text: string, path: string): Promise<ConfigFile> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw badFile(path, messageOf(error));
  }
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) throw badFile(path, 'it should be a list of `name: value`');
  const settings: Partial<Record<ConfigKey, string>> = {};
  const { profiles, ...others } = value;
  for (const [key, entry] of Object.entries(others)) {
    const known = CONFIG_KEYS.find((candidate) => candidate === key);
    if (known === undefined)
      throw badFile(path, `it has no setting “${key}”; there are ${[...CONFIG_KEYS, 'profiles'].join(', ')}`);
    if (typeof entry !== 'string' && typeof entry !== 'number')
      throw badFile(path, `${key} should be text or a number`);
    settings[known] = String(entry);
  }
  if (profiles === undefined || profiles === null) return settings;
  const parsed = parseProfiles(profiles);
  if (typeof parsed === 'string') throw badFile(path, parsed);
  return { ...settings, profiles: parsed };
}

function badFile(path: string, why: string): FixableError {
  return new FixableError({ what: `${path} cannot be used`, why, fix: 'Correct the file.', exitCode: EXIT.usage });
}

type Found = Setting<string> & { readonly where: string };

function parseBaseUrl(found: Found): Setting<string> {
  const { value, source, where } = found;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw badValue(where, value, 'Give the address of the server, e.g. http://127.0.0.1:8080');
  }
  return { value: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), source };
}

function parseEngineUrl(found: Found, protocols: readonly string[]): Setting<string> {
  const { value, source, where } = found;
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return { value, source };
  // Not repeated in the message: it may hold a password.
  throw new FixableError({
    what: `${where} is wrong`,
    why: `it is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    fix: `For example ${protocols[0]}//user:password@127.0.0.1:${protocols.includes('mysql:') ? '3306/fest' : '6379'}`,
    exitCode: EXIT.usage,
  });
}

function parseInteger(found: Found, min: number, max: number): Setting<number> {
  const number = Number(found.value);
  if (!/^\d+$/.test(found.value) || number < min || number > max) {
    throw badValue(found.where, found.value, `Give a whole number from ${min} to ${max}.`);
  }
  return { value: number, source: found.source };
}

function badValue(where: string, value: string, fix: string): FixableError {
  return new FixableError({ what: `${where} is wrong: “${value}”`, fix, exitCode: EXIT.usage });
}
