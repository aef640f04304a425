/** bin/make-mysql-user: what it says to MySQL, through what, and that no password is where others look. AWS and MySQL are replaced. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

/** The client, which reads its password as it reads it from a file of options; `answer` is what MySQL says to `fest_server`. */
function mysqlThat(answer: string, version = 'Ver 8.4.6 for Linux on x86_64 (MySQL Community Server - GPL)'): void {
  machine.program(
    'mysql',
    `[ "$*" != --version ] || { echo "mysql  ${version}"; exit; }
options=$(cat "\${1#--defaults-extra-file=}")
echo "$options" >>"${machine.root}/options"
[[ $* = *--execute* ]] || { cat >>"${machine.root}/said"; exit; }
[[ $options != *user=fest_server* ]] || { ${answer}; }`,
  );
}
const REFUSES = "echo 'ERROR 1045 (28000): Access denied for user' >&2; exit 1";

beforeEach(() => {
  machine = new Machine(mkdtempSync(join(tmpdir(), 'fest-mysql-user-')));
  machine.program('session-manager-plugin', '');
  mysqlThat('exit 0');
  awsWith(JSON.stringify({ username: 'fest_server', password: PASSWORD }));
});

afterEach(() => rmSync(machine.root, { recursive: true }));

function make(...words: readonly string[]) {
  const env = {
    PATH: `${machine.path('bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
    TMPDIR: machine.path('tmp'),
  };
  return spawnSync(PROGRAM, [...words], { env, encoding: 'utf8', timeout: 30_000 });
}
const said = (): readonly string[] => readFileSync(machine.path('said'), 'utf8').trim().split('\n');
const calls = (): string => readFileSync(machine.path('calls'), 'utf8');

test('the user is made with the password of its secret, speaks TLS, and has rights on one schema', () => {
  const { status, stderr } = make('fest-test');
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: 'make-mysql-user: fest_server may use the schema fest of fest-test\n',
  });
  const [created, granted, ...more] = said();
  expect(created).toBe(`CREATE USER IF NOT EXISTS 'fest_server'@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL;`);
  expect(granted).toMatch(/^GRANT [A-Z, ]+ ON `fest`\.\* TO 'fest_server'@'%';$/);
  expect(granted).not.toMatch(/\bALL\b|GRANT OPTION|SUPER|FILE/);
  // A password that MySQL takes is not told again: that would forget the old one, which servers may have still.
  expect(more).toEqual([]);
});

describe('another password in the secret', () => {
  test('is told to MySQL, which takes the old one too', () => {
    mysqlThat(REFUSES);
    const { status, stderr } = make('fest-test');
    expect(status).toBe(0);
    expect(stderr).toContain('MySQL takes the old password too, until --discard-old');
    expect(said().slice(2)).toEqual([
      `ALTER USER 'fest_server'@'%' IDENTIFIED BY '${PASSWORD}' RETAIN CURRENT PASSWORD REQUIRE SSL;`,
    ]);
  });

  test('is the only one when that is asked for', () => {
    expect(make('fest-test', '--discard-old').status).toBe(0);
    expect(said().slice(2)).toEqual([
      `ALTER USER 'fest_server'@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL;`,
      "ALTER USER 'fest_server'@'%' DISCARD OLD PASSWORD;",
    ]);
  });

  test('takes nothing away from servers that MySQL would refuse with it', () => {
    mysqlThat(REFUSES);
    const { status, stderr } = make('fest-test', '--discard-old');
    expect(status).toBe(1);
    expect(stderr).toContain('this without --discard-old, then the roll');
    expect(said()).toHaveLength(2);
  });

  test('is not told when it is not known whether MySQL takes it', () => {
    mysqlThat("echo 'ERROR 2013 (HY000): Lost connection' >&2; exit 1");
    const { status, stderr } = make('fest-test');
    expect(status).toBe(1);
    expect(stderr).toContain('ERROR 2013');
    expect(said()).toHaveLength(2);
  });
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
  expect(readFileSync(machine.path('options'), 'utf8')).toContain(
    '[client]\nuser=fest\npassword="ma\\"st\\\\er#p w"\n',
  );
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

test('a client that is MariaDB’s is said, and nothing else is done', () => {
  mysqlThat('exit 0', 'Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu');
  const { status, stderr } = make('fest-test');
  expect(status).toBe(1);
  expect(stderr).toMatch(/10\.11\.19-MariaDB.*MySQL's own client/);
  expect(calls()).not.toContain('aws ');
});

test('a MySQL that cannot be had is said with its last error', () => {
  machine.program('sleep', '');
  machine.program(
    'mysql',
    `[ "$*" != --version ] || { echo 'mysql  Ver 8.4.6'; exit; }; echo 'ERROR 2026 (HY000): SSL connection error' >&2; exit 1`,
  );
  const { status, stderr } = make('fest-test');
  expect(status).toBe(1);
  expect(stderr).toContain('cannot be had through i-0abc: ERROR 2026 (HY000): SSL connection error');
});
