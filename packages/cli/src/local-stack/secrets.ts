import { randomBytes } from 'node:crypto';
import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { isRecord, readFileIfPresent, writePrivateFile } from '../private-files.ts';

const SECRET_NAMES = [
  'jwtSecret',
  'queueTokenSecret',
  'ticketSigningSeed',
  'redisPassword',
  'mysqlPassword',
  'mysqlRootPassword',
  'operatorPassword',
  'organizerPassword',
  'staffPassword',
] as const;

/** The secrets of a local stack. They outlive it: tickets signed and accounts made in one run hold in the next. */
export type LocalSecrets = Readonly<Record<(typeof SECRET_NAMES)[number], string>>;

/** Reads `.fest/secrets.json`, generating what it does not have yet. */
export function ensureSecrets(path: string): LocalSecrets {
  const known = parseSecrets(path, readFileIfPresent(path));
  const secrets = Object.fromEntries(SECRET_NAMES.map((name) => [name, known[name] ?? generate(name)])) as LocalSecrets;
  if (SECRET_NAMES.some((name) => known[name] === undefined)) {
    writePrivateFile(path, `${JSON.stringify({ ...known, ...secrets }, undefined, 2)}\n`);
  }
  return secrets;
}

function generate(name: (typeof SECRET_NAMES)[number]): string {
  // The seed of an Ed25519 key is exactly 32 bytes. The others stand in URLs and configuration files: no special characters.
  if (name === 'ticketSigningSeed') return randomBytes(32).toString('base64');
  return randomBytes(name.endsWith('Secret') ? 32 : 16).toString('hex');
}

function parseSecrets(path: string, text: string | undefined): Partial<Record<string, string>> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isRecord(value) && Object.values(value).every((secret) => typeof secret === 'string' && secret !== '')) {
    return value as Record<string, string>;
  }
  throw new FixableError({
    what: `${path} is damaged`,
    why: 'it should be a JSON object of strings',
    fix: 'Restore it, or delete it: new secrets are made then, and tickets signed with the old ones are no longer valid.',
    exitCode: EXIT.usage,
  });
}
