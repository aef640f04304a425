/** A machine on its way to a server: whose volume it takes, what it formats, and what it runs. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Machine, templateOf } from './machine.ts';

const DEVICE = 'dev/nvme-Amazon_Elastic_Block_Store_vol0abc';
const BLANK = Buffer.alloc(2 * 1024 ** 2);

let machine: Machine;

beforeEach(() => {
  machine = new Machine(mkdtempSync(join(tmpdir(), 'fest-machine-')));
  machine.write('etc/fest/machine.env', 'REGION=eu-central-1\nVOLUME_ID=vol-0abc\nGATEWAY_FILE_SYSTEM=fs-1\n');
  machine.program('curl', 'echo i-me');
  for (const name of ['mount', 'mkfs.xfs', 'xfs_growfs', 'install', 'chown']) machine.program(name, '');
  machine.program('mountpoint', 'exit 1');
});

afterEach(() => rmSync(machine.root, { recursive: true }));

/** What AWS says of whom the volume is with. */
const heldBy = (owner: string): void => machine.program('aws', `[[ $* = *describe-volumes* ]] && echo ${owner}; true`);
const calledWith = (calls: readonly string[], program: string): readonly string[] =>
  calls.filter((call) => call.startsWith(`${program} `));

describe('the volume of the order log', () => {
  test('is attached when it is free, and the step is not done before it is there', () => {
    heldBy('None');
    const { code, calls } = machine.run('fest-prepare', ['volume']);
    expect(code).not.toBe(0);
    expect(calledWith(calls, 'aws')).toContain(
      'aws ec2 attach-volume --volume-id vol-0abc --instance-id i-me --device /dev/sdf',
    );
    expect(calledWith(calls, 'mount')).toEqual([]);
  });

  test('is waited for while another machine has it, and never taken by force', () => {
    heldBy('i-old');
    const { code, calls, errors } = machine.run('fest-prepare', ['volume']);
    expect(code).not.toBe(0);
    expect(calls.join('\n')).not.toMatch(/attach-volume|detach-volume|force/);
    expect(errors).toContain('vol-0abc is still with i-old');
  });

  test('gets a file system when it is blank', () => {
    machine.write(DEVICE, BLANK.toString('latin1'));
    machine.program('blkid', 'exit 2');
    const { code, calls } = machine.run('fest-prepare', ['volume']);
    expect(code).toBe(0);
    expect(calledWith(calls, 'mkfs.xfs')).toEqual([`mkfs.xfs -q ${machine.path(DEVICE)}`]);
    expect(calledWith(calls, 'mount')).toEqual([
      `mount -o noatime ${machine.path(DEVICE)} ${machine.path('var/lib/fest')}`,
    ]);
  });

  test('keeps the file system it has, and grows it to the volume', () => {
    machine.write(DEVICE, 'XFSB');
    machine.program('blkid', 'exit 0');
    const { code, calls } = machine.run('fest-prepare', ['volume']);
    expect(code).toBe(0);
    expect(calledWith(calls, 'mkfs.xfs')).toEqual([]);
    expect(calledWith(calls, 'xfs_growfs')).toHaveLength(1);
  });

  test.each([
    ['nothing that is known, and is not blank', 2, 'something else'],
    ['more than one thing, or cannot be read', 8, BLANK.toString('latin1')],
  ])('is not formatted when it has %s', (_, status, content) => {
    machine.write(DEVICE, content);
    machine.program('blkid', `exit ${status}`);
    const { code, calls, errors } = machine.run('fest-prepare', ['volume']);
    expect(code).not.toBe(0);
    expect([...calledWith(calls, 'mkfs.xfs'), ...calledWith(calls, 'mount')]).toEqual([]);
    expect(errors).toContain('look at it before anything else');
  });

  test('is not mounted twice', () => {
    machine.write(DEVICE, 'XFSB');
    machine.program('blkid', 'exit 0');
    machine.program('mountpoint', 'exit 0');
    expect(calledWith(machine.run('fest-prepare', ['volume']).calls, 'mount')).toEqual([]);
  });
});

describe('the release', () => {
  const prepare = (sum?: string): void => {
    mkdirSync(machine.path('made'));
    machine.write('made/hello', 'of this release');
    execFileSync('tar', ['-czf', machine.path('fest.tar.gz'), '-C', machine.path('made'), 'hello']);
    const right = createHash('sha256')
      .update(readFileSync(machine.path('fest.tar.gz')))
      .digest('hex');
    machine.append(
      'etc/fest/machine.env',
      `RELEASE_BUCKET=b\nRELEASE_KEY=releases/x.tar.gz\nRELEASE_SHA256=${sum ?? right}\n`,
    );
    machine.program('aws', `cp "${machine.path('fest.tar.gz')}" "\${@: -1}"`);
  };

  test('is fetched once, checked, and made the current one', () => {
    prepare();
    const first = machine.run('fest-prepare', ['release']);
    expect({ code: first.code, errors: first.errors }).toEqual({ code: 0, errors: '' });
    expect(first.calls.join()).toContain('s3 cp --only-show-errors s3://b/releases/x.tar.gz');
    expect(readFileSync(machine.path('opt/fest/current/hello'), 'utf8')).toBe('of this release');
    const second = machine.run('fest-prepare', ['release']);
    expect({ code: second.code, calls: second.calls }).toEqual({ code: 0, calls: [] });
    expect(realpathSync(machine.path('opt/fest/current'))).toContain('/releases/');
  });

  test('is not unpacked when its sum is another one', () => {
    prepare('0'.repeat(64));
    expect(machine.run('fest-prepare', ['release']).code).not.toBe(0);
    expect(existsSync(machine.path('opt/fest/current'))).toBe(false);
    expect(existsSync(machine.path('opt/fest/releases'))).toBe(false);
    expect(readdirSync(machine.path('tmp'))).toEqual([]);
  });
});

test('the folder of the log is there before the unit opens it, which systemd does before it makes any', () => {
  const { code, calls } = machine.run('fest-prepare', ['logs']);
  expect(code).toBe(0);
  const opened = /^StandardOutput=append:(.*)\/[^/]+$/m.exec(templateOf('fest.service.tftpl'))?.[1];
  expect(calledWith(calls, 'install')).toEqual([`install -d -o root -g root -m 0750 ${machine.path(opened ?? '-')}`]);
});

/** What a unit has done until it is done: the words of its ExecStart. */
function stepsOf(unit: string): readonly string[] {
  const words = /^ExecStart=\/usr\/local\/sbin\/fest-prepare all (.*)$/m.exec(templateOf(unit))?.[1]?.split(' ');
  expect(words?.length).toBeGreaterThan(0);
  return ['all', ...(words ?? [])];
}

describe('what the sale needs', () => {
  beforeEach(() => {
    machine.write(DEVICE, BLANK.toString('latin1'));
    machine.program('blkid', 'exit 2');
    machine.program('rpm', 'exit 1');
    machine.program('dnf', '');
    machine.program('sleep', `touch "${machine.path('slept')}"`);
    // The first download fails, as when the network is not there yet; then the archive's sum is right.
    mkdirSync(machine.path('made'));
    execFileSync('tar', ['-czf', machine.path('fest.tar.gz'), '-C', machine.path('made'), '.']);
    const sum = createHash('sha256')
      .update(readFileSync(machine.path('fest.tar.gz')))
      .digest('hex');
    machine.append('etc/fest/machine.env', `RELEASE_BUCKET=b\nRELEASE_KEY=releases/x.tar.gz\nRELEASE_SHA256=${sum}\n`);
    machine.program(
      'aws',
      `[ -e "${machine.path('slept')}" ] || exit 1; cp "${machine.path('fest.tar.gz')}" "\${@: -1}"`,
    );
  });

  test('is done in its order, the volume first, and what fails is done again', () => {
    const { code, calls, errors } = machine.run('fest-prepare', stepsOf('fest-prepare.service'));
    expect(code).toBe(0);
    const order = ['install', 'mkfs.xfs', 'mount', 'aws', 'sleep', 'rpm', 'dnf'].map((name) =>
      calls.findIndex((call) => call.startsWith(`${name} `)),
    );
    expect(order).toEqual([...order].sort((one, other) => one - other));
    expect(order).not.toContain(-1);
    expect(calledWith(calls, 'dnf')).toEqual(['dnf install -y -q amazon-efs-utils']);
    expect(calledWith(calls, 'mount')).toContain(`mount -t efs -o tls,iam fs-1:/ ${machine.path('srv/fest-gateway')}`);
    expect(errors).toContain('release: again in 10 s');
    expect(errors.trim().endsWith('fest-prepare: done: logs volume release gateway')).toBe(true);
  });

  test('does not wait for the agent: one that is broken costs sight, not servers', () => {
    machine.program('amazon-cloudwatch-agent-ctl', 'exit 1');
    const { code, calls } = machine.run('fest-prepare', stepsOf('fest-prepare.service'));
    expect(code).toBe(0);
    expect(calledWith(calls, 'amazon-cloudwatch-agent-ctl')).toEqual([]);
    expect(templateOf('fest.service.tftpl')).not.toContain('fest-agent');
  });
});

describe('the agent', () => {
  test('gets its own configuration, and then the one that brings figures to Prometheus', () => {
    machine.program('rpm', 'exit 0');
    machine.program('amazon-cloudwatch-agent-ctl', '');
    const { code, calls } = machine.run('fest-prepare', stepsOf('fest-agent.service'));
    expect(code).toBe(0);
    expect(calledWith(calls, 'amazon-cloudwatch-agent-ctl')).toEqual([
      `amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:${machine.path('etc/fest/cloudwatch-agent.json')}`,
      `amazon-cloudwatch-agent-ctl -a append-config -m ec2 -s -c file:${machine.path('etc/fest/prometheus.yaml')}`,
    ]);
  });

  test('is not started again and again where it does not know the other configuration: only that is tried again', () => {
    machine.program('rpm', 'exit 0');
    machine.write('slept', '');
    machine.program('sleep', `echo >>"${machine.path('slept')}"`);
    machine.program(
      'amazon-cloudwatch-agent-ctl',
      `[[ $* != *append-config* || $(wc -l <"${machine.path('slept')}") = 3 ]] || exit 1`,
    );
    const { code, calls, errors } = machine.run('fest-prepare', stepsOf('fest-agent.service'));
    expect(code).toBe(0);
    expect(errors).toContain('figures: again in 10 s');
    const actions = calledWith(calls, 'amazon-cloudwatch-agent-ctl').map((call) => call.split(' ')[2]);
    expect(actions).toEqual(['fetch-config', ...new Array<string>(4).fill('append-config')]);
  });
});
