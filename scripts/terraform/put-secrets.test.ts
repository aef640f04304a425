/** bin/put-secrets: what it makes, and above all what it leaves alone. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseConfig } from '@fest/server/config';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Machine } from './machine.ts';

const PROGRAM = resolve(import.meta.dirname, '../../infra/terraform/bin/put-secrets');

let machine: Machine;

beforeEach(() => {
  machine = new Machine(mkdtempSync(join(tmpdir(), 'fest-secrets-')));
  // Secrets Manager with secrets that are there and have a value once they are put.
  machine.program(
    'aws',
    `id=$(sed 's/.*--secret-id \\([^ ]*\\).*/\\1/' <<<"$*"); kept="${machine.root}/\${id//\\//-}"
case $2 in
  list-secret-version-ids) [ -e "$kept" ] && echo 1 || echo 0 ;;
  put-secret-value)
    path=$(sed 's/.*file:\\/\\/\\([^ ]*\\).*/\\1/' <<<"$*")
    [ -p "$path" ] || echo "$id came from a file" >>"${machine.root}/on-disk"
    cat "$path" >"$kept" ;;
esac`,
  );
});

afterEach(() => rmSync(machine.root, { recursive: true }));

function put(...words: readonly string[]) {
  const env = { PATH: `${machine.path('bin')}:/usr/bin:/bin`, TMPDIR: machine.path('tmp') };
  return spawnSync(PROGRAM, [...words], { env, encoding: 'utf8' });
}

const kept = (name: string): string => readFileSync(machine.path(`fest-fest-test-${name}`), 'utf8').trim();

test('what it makes is what the server wants, and the password is shown once', () => {
  const { status, stdout } = put('fest-test', 'ops@example.org');
  expect(status).toBe(0);
  const keys: Record<string, string> = JSON.parse(kept('keys'));
  const config = parseConfig({
    FEST_REDIS_URL: 'redis://r',
    FEST_MYSQL_URL: 'mysql://m',
    FEST_LOG_DIR: '/l',
    FEST_JWT_SECRET: keys.jwtSecret,
    FEST_QUEUE_TOKEN_SECRET: keys.queueTokenSecret,
    FEST_TICKET_SIGNING_SEED: keys.ticketSigningSeed,
    FEST_BOOTSTRAP_ACCOUNTS: kept('accounts'),
  });
  expect(config.bootstrapAccounts).toEqual([
    { email: 'ops@example.org', password: stdout.trim(), name: 'Operator', roles: ['operator', 'organizer'] },
  ]);
  expect(config.jwtSecret).not.toBe(config.queueTokenSecret);
  expect(JSON.parse(kept('mysql'))).toEqual({
    username: 'fest_server',
    password: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(existsSync(machine.path('on-disk'))).toBe(false);
  expect(existsSync(machine.path('tmp')) && spawnSync('ls', [machine.path('tmp')], { encoding: 'utf8' }).stdout).toBe(
    '',
  );
});

test('a second run changes nothing: a new seed would make every ticket sold worthless', () => {
  put('fest-test', 'ops@example.org');
  const before = [kept('keys'), kept('mysql'), kept('accounts')];
  const { status, stdout, stderr } = put('fest-test', 'other@example.org');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(stderr).toContain('is left as it is');
  expect([kept('keys'), kept('mysql'), kept('accounts')]).toEqual(before);
});

test('a secret that cannot be looked at is not written', () => {
  machine.program('aws', 'exit 254');
  expect(put('fest-test', 'ops@example.org').status).not.toBe(0);
  expect(readFileSync(machine.path('calls'), 'utf8')).not.toContain('put-secret-value');
});

test('what is no e-mail address is refused', () => {
  expect(put('fest-test', '"}]').status).toBe(2);
  expect(existsSync(machine.path('calls'))).toBe(false);
});
