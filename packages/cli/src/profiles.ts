/** Environments of `fest.config.yaml`: `profiles: {staging: {url: …}, production: {url: …, production: true}}`. */
import { FixableError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { isRecord } from './private-files.ts';

const PROFILE_KEYS = ['url', 'redisUrl', 'mysqlUrl', 'email'] as const;
export type ProfileKey = (typeof PROFILE_KEYS)[number];

/** Settings of one environment, their values still unchecked. */
export interface Profile extends Readonly<Partial<Record<ProfileKey, string>>> {
  readonly url: string;
  /** Real buyers and real money: changes are asked for more carefully. */
  readonly production: boolean;
}

export type Profiles = Readonly<Record<string, Profile>>;

/** What a command works on, as its user calls it. */
export interface Environment {
  readonly name: string;
  readonly production: boolean;
}

export interface ChosenProfile {
  readonly environment: Environment;
  readonly profile: Profile;
  readonly source: 'flag' | 'environment';
}

/** The profile that a flag or else the environment names; undefined when neither does. @throws FixableError when there is none */
export function chooseProfile(
  profiles: Profiles,
  flag: string | undefined,
  variable: string | undefined,
): ChosenProfile | undefined {
  const name = flag ?? variable;
  if (name === undefined || (flag === undefined && name === '')) return undefined;
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined) throw unknownProfile(name, Object.keys(profiles), flag !== undefined);
  const environment = { name, production: profile.production };
  return { environment, profile, source: flag === undefined ? 'environment' : 'flag' };
}

/** The profiles of a configuration file, or what is wrong with them. */
export function parseProfiles(value: unknown): Profiles | string {
  if (!isRecord(value)) return 'profiles should be a list of `name: {url: …}`';
  const profiles: Record<string, Profile> = {};
  for (const [name, entry] of Object.entries(value)) {
    const profile = parseProfile(name, entry);
    if (typeof profile === 'string') return profile;
    profiles[name] = profile;
  }
  return profiles;
}

function parseProfile(name: string, value: unknown): Profile | string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) return `“${name}” is no name of a profile: letters, digits, - . and _`;
  if (!isRecord(value)) return `the profile ${name} should have at least a url`;
  const { production = false, ...settings } = value;
  if (typeof production !== 'boolean') return `production of the profile ${name} should be true or false`;
  const texts: Partial<Record<ProfileKey, string>> = {};
  for (const [key, entry] of Object.entries(settings)) {
    const known = PROFILE_KEYS.find((candidate) => candidate === key);
    if (known === undefined)
      return `the profile ${name} has no setting “${key}”; there are ${[...PROFILE_KEYS, 'production'].join(', ')}`;
    if (typeof entry !== 'string') return `${key} of the profile ${name} should be text`;
    texts[known] = entry;
  }
  const { url } = texts;
  return url === undefined ? `the profile ${name} has no url` : { ...texts, url, production };
}

function unknownProfile(name: string, names: readonly string[], isFlag: boolean): FixableError {
  return new FixableError({
    what: `There is no profile “${name}”${isFlag ? '' : ', which FEST_PROFILE names'}`,
    why:
      names.length === 0
        ? 'fest.config.yaml has no profiles, or is not in this folder'
        : `there are ${names.join(', ')}`,
    fix: 'Name one of them, or add it to fest.config.yaml:\nprofiles:\n  staging:\n    url: https://staging.example.org',
    exitCode: EXIT.usage,
  });
}
