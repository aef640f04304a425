/** bin/make-mysql-user: what it says to MySQL, through what, and that no password is where others look. AWS and MySQL are replaced. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Machine } from './machine.ts';

const PROGRAM = resolve(import.meta.dirname, '../../infra/terraform/bin/make-mysql-user');
const MASTER = 'ma"st\\er#p w';
const PASSWORD = 'ab12'.repeat(16);

let machine: Machine;

function awsWith(secret: string, running = 'i-0abc'): void {
  machine.write('secret', secret);
  machine.write('master', JSON.stringify({ username: 'fest', password: MASTER }));
  machine.program(
    'aws',
    `case "$*" in
  *MasterUserSecret*) echo rds-secret ;;
  *Endpoint.Address*) echo mysql.example.net ;;
  *"--secret-id rds-secret"*) cat "${machine.root}/master" ;;
  *"--secret-id fest/fest-test/mysql"*) cat "${machine.root}/secret" ;;
  *describe-instances*) echo ${running} ;;
  *start-session*) exec sleep 20 ;;
esac`,
  );
}

beforeEach(() => {
  machine = new Machine(mkdtempSync(join(tmpdir(), 'fest-mysql-user-')));
  machine.program('session-manager-plugin', '');
  // The client, which reads its password as it reads it from a file of options.
  machine.program(
    'mysql',
    `cat "\${1#--defaults-extra-file=}" >"${machine.root}/options"; [[ $* = *--execute* ]] || cat >"${machine.root}/said"`,
  );
  awsWith(JSON.stringify({ username: 'fest_server', password: PASSWORD }));
});

afterEach(() => rmSync(machine.root, { recursive: true }));

function make(...words: readonly string[]) {
  const env = {
    PATH: `${machine.path('bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
    TMPDIR: machine.path('tmp'),
  };
  return spawnSync(PROGRAM, [...words], { env, encoding: 'utf8', timeout: 15_000 });
}
const said = (): string => readFileSync(machine.path('said'), 'utf8');
const calls = (): string => readFileSync(machine.path('calls'), 'utf8');

test('the user has the password of its secret, speaks TLS, and has rights on one schema', () => {
  const { status, stderr } = make('fest-test');
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: 'make-mysql-user: fest_server may use the schema fest of fest-test\n',
  });
  const lines = said().trim().split('\n');
  expect(
    lines.slice(0, 2).every((line) => line.includes(`'fest_server'@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL;`)),
  ).toBe(true);
  expect(lines[2]).toMatch(/^GRANT [A-Z, ]+ ON `fest`\.\* TO 'fest_server'@'%';$/);
  expect(lines[2]).not.toMatch(/\bALL\b|GRANT OPTION|SUPER|FILE/);
});

test('the way is a tunnel to a machine, and ends with the program', () => {
  expect(make('fest-test').status).toBe(0);
  expect(calls()).toContain(
    'aws ssm start-session --target i-0abc --document-name AWS-StartPortForwardingSessionToRemoteHost --parameters host=mysql.example.net,portNumber=3306,localPortNumber=13306',
  );
  expect(calls()).toMatch(/mysql --defaults-extra-file=\S+ --host=127\.0\.0\.1 --port=13306 --ssl-mode=REQUIRED/);
});

test('no password is among the arguments of a program', () => {
  expect(make('fest-test').status).toBe(0);
  expect(calls()).not.toContain(PASSWORD);
  expect(calls()).not.toContain('ma"st');
  expect(readFileSync(machine.path('options'), 'utf8')).toBe('[client]\nuser=fest\npassword="ma\\"st\\\\er#p w"\n');
});

test.each([
  ['a secret that nobody has made', '', 'i-0abc', /put-secrets|JSON/],
  [
    'a password that would end the statement',
    JSON.stringify({ username: 'fest_server', password: "x'; DROP" }),
    'i-0abc',
    /is not what put-secrets makes/,
  ],
  [
    'a deployment without a machine',
    JSON.stringify({ username: 'fest_server', password: PASSWORD }),
    'None',
    /no machine of fest-test is running/,
  ],
])('%s is said, and MySQL is told nothing', (_, secret, running, message) => {
  awsWith(secret, running);
  const { status, stderr } = make('fest-test');
  expect(status).not.toBe(0);
  expect(stderr).toMatch(message);
  expect(existsSync(machine.path('said'))).toBe(false);
});
