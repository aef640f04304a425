import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FindK6Options, findK6 } from './find-k6.ts';
import { K6NotFoundError } from './k6-not-found.ts';
import { FakePrograms } from './test-support/fake-programs.ts';

let fakes: FakePrograms;
beforeEach(() => {
  fakes = new FakePrograms();
});
afterEach(() => fakes.remove());

function find(options: Partial<FindK6Options> = {}) {
  const { env, directory, say } = fakes;
  return findK6({ env, directory, say, mayBuild: true, signal: new AbortController().signal, ...options });
}

async function refusal(options: Partial<FindK6Options> = {}): Promise<K6NotFoundError> {
  const error: unknown = await find(options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof K6NotFoundError)) throw new Error(`expected a K6NotFoundError, got ${error}`);
  return error;
}

/** Compiles nothing, and leaves a k6 that says the version. */
const goThatMakes = (version: string, before = ''): string => `
if [ "$1" = env ]; then echo go1.26.8; exit; fi
env >"${fakes.folder}/go-environment"
pwd >"${fakes.folder}/go-folder"
echo "$@" >>"${fakes.folder}/go-builds"
${before}
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho "k6 ${version} (go1.26.8)"\\n' >"$2"; chmod 755 "$2"`;

const DOCKER = `
echo "$@" >>"$HOME/docker-calls"
case "$1" in
  info) ;;
  image) [ -e "$HOME/pulled" ] ;;
  pull) touch "$HOME/pulled" ;;
  run) echo 'k6 v2.2.0 (go1.26.8, linux/amd64)' ;;
esac`;

describe('the order in which a k6 is looked for', () => {
  test('a flag is before K6_BIN, that before PATH, that before .fest/bin', async () => {
    const flag = fakes.addK6('flag/k6', 'v2.2.1');
    const variable = fakes.addK6('variable/k6', 'v2.2.2');
    const inPath = fakes.addK6('bin/k6', 'v2.2.3');
    const before = fakes.addK6('here/.fest/bin/k6', 'v2.2.4');
    const env = { ...fakes.env, K6_BIN: variable };
    expect(await find({ flag, env })).toMatchObject({ origin: 'flag', path: flag, version: 'v2.2.1' });
    expect(await find({ env })).toMatchObject({ origin: 'K6_BIN', path: variable, version: 'v2.2.2' });
    expect(await find()).toMatchObject({ kind: 'binary', origin: 'PATH', path: inPath, version: 'v2.2.3' });
    expect(await find({ env: { PATH: '/nowhere' } })).toMatchObject({ origin: '.fest/bin', path: before });
    expect(fakes.said).toEqual([]);
  });

  test('the name of a program in PATH does for a flag', async () => {
    const path = fakes.addK6('bin/k6-next', 'v2.9.0');
    expect(await find({ flag: 'k6-next' })).toMatchObject({ origin: 'flag', path, version: 'v2.9.0' });
  });

  test('a k6 of another major in PATH is passed over, aloud, for the next one in PATH', async () => {
    const old = fakes.addK6('bin/k6', 'v1.4.2');
    const next = fakes.addK6('bin2/k6', 'v2.2.0');
    const env = { PATH: `${join(fakes.folder, 'bin')}:${join(fakes.folder, 'bin2')}` };
    expect(await find({ env })).toMatchObject({ origin: 'PATH', path: next });
    expect(fakes.said).toEqual([`Passing over ${old}: it is k6 v1.4.2, and k6 2 is needed.`]);
  });

  test('what is called k6 and is none is passed over', async () => {
    const other = fakes.add('bin/k6', 'echo "no such option: version" >&2; exit 3');
    fakes.addK6('here/.fest/bin/k6', 'v2.2.0');
    expect(await find()).toMatchObject({ origin: '.fest/bin' });
    expect(fakes.said).toEqual([`Passing over ${other}: no such option: version.`]);
  });
});

describe('a k6 that is named', () => {
  test('and is too old is an error, by flag and by K6_BIN', async () => {
    const old = fakes.addK6('old/k6', 'v0.57.0');
    fakes.addK6('bin/k6', 'v2.2.0');
    const byFlag = await refusal({ flag: old });
    expect(byFlag.what).toBe(`--k6 names ${old}, which cannot run the load tests`);
    expect(byFlag.why).toContain('it is k6 v0.57.0, and k6 2 is needed');
    const byVariable = await refusal({ env: { ...fakes.env, K6_BIN: old } });
    expect(byVariable.what).toContain(`K6_BIN names ${old}`);
    expect(byVariable.fix).toContain('leave K6_BIN out');
  });

  test('and is not there is an error', async () => {
    expect((await refusal({ flag: './nowhere/k6' })).why).toBe('there is no program');
  });
});

describe('building with Go', () => {
  test('happens when there is no k6, in place, and says so', async () => {
    fakes.add('bin/go', goThatMakes('v2.2.0'));
    const k6 = await find();
    const target = join(fakes.directory, '.fest/bin/k6');
    expect(k6).toMatchObject({ kind: 'binary', origin: 'built', path: target, version: 'v2.2.0' });
    expect(fakes.read('go-builds')).toMatch(/^build -v -trimpath -o \S+ go\.k6\.io\/k6\/v2\n$/);
    expect(fakes.read('go-folder').trim()).toMatch(/packages\/loadtest\/k6-build$/);
    expect(readdirSync(join(fakes.directory, '.fest/bin'))).toEqual(['k6']);
    expect(fakes.said[0]).toBe('No k6 here: building v2.2.0 with Go 1.26.8. That takes a minute or two, once.');
    expect(fakes.said.at(-1)).toMatch(/^Built .*\.fest\/bin\/k6 in \d+ s\.$/);
    expect(await find()).toMatchObject({ origin: '.fest/bin' });
  });

  test('has every check on, whatever the environment says', async () => {
    fakes.add('bin/go', goThatMakes('v2.2.0'));
    const switchedOff = {
      GOFLAGS: '-insecure -mod=mod',
      GOPRIVATE: '*',
      GONOSUMDB: '*',
      GOINSECURE: '*',
      GOSUMDB: 'off',
      GOENV: '/some/file',
    };
    await find({ env: { ...fakes.env, ...switchedOff, GOCACHE: '/somewhere' } });
    const environment = fakes.read('go-environment').split('\n');
    expect(environment).toContain('GOFLAGS=-mod=readonly');
    expect(environment).toContain('GOCACHE=/somewhere');
    // What `go env -w` has written.
    expect(environment).toContain('GOENV=off');
    expect(environment.filter((line) => /^GO(PRIVATE|NOSUMDB|INSECURE|SUMDB)=/.test(line))).toEqual([]);
  });

  /** As `go env` answers: `-json` with what the user has set, one name with what the build would see. */
  const goThatSays = (settings: object, sumdb: string): string => `
if [ "$1 $2" = 'env -json' ]; then echo '${JSON.stringify(settings)}'; exit; fi
if [ "$1 $2" = 'env GOSUMDB' ]; then echo "\${GOSUMDB:-${sumdb}}"; exit; fi
${goThatMakes('v2.2.0')}`;

  test('fetches from where the user has set it to, and asks the database that was named', async () => {
    const settings = { GOPROXY: 'https://proxy.example', GOSUMDB: 'sums.example', GOAUTH: '', GOPRIVATE: '*' };
    fakes.add('bin/go', goThatSays(settings, 'its own'));
    await find();
    const environment = fakes.read('go-environment').split('\n');
    expect(environment).toContain('GOPROXY=https://proxy.example');
    expect(environment).toContain('GOSUMDB=sums.example');
    expect(environment.filter((line) => /^GO(PRIVATE|AUTH)=/.test(line))).toEqual([]);
  });

  test('is not done by a Go that asks no checksum database whatever is set', async () => {
    const path = fakes.add('bin/go', goThatSays({ GOSUMDB: 'off' }, 'off'));
    expect((await refusal()).why).toContain(
      `${path} asks no checksum database, as its own folder's go.env says (GOSUMDB=off`,
    );
    expect(fakes.read('go-builds')).toBe('');
    // Unless one is named.
    fakes.add('bin/go', goThatSays({ GOSUMDB: 'sums.example' }, 'off'));
    expect(await find()).toMatchObject({ origin: 'built' });
  });

  test('that fails leaves nothing, and says what Go said', async () => {
    const failing =
      'echo "go: downloading example.org/a v1.0.0" >&2; echo "verifying module: SECURITY ERROR" >&2; exit 1';
    fakes.add('bin/go', goThatMakes('v2.2.0', failing));
    const { why } = await refusal();
    expect(why).toContain('Go could not build it: verifying module: SECURITY ERROR');
    expect(why).not.toContain('downloading');
    expect(readdirSync(join(fakes.directory, '.fest/bin'))).toEqual([]);
  });

  test('of another version than asked for is not taken', async () => {
    fakes.add('bin/go', goThatMakes('v2.1.0'));
    expect((await refusal()).why).toContain('does not say that it is k6 v2.2.0');
    expect(existsSync(join(fakes.directory, '.fest/bin/k6'))).toBe(false);
  });

  test('that is stopped leaves nothing, and no compiler', async () => {
    const slow = `trap 'echo stopped >"${fakes.folder}/go-end"; exit 1' INT; echo a/b >&2; touch "${fakes.folder}/go-begun"; while :; do sleep 0.05; done`;
    fakes.add('bin/go', goThatMakes('v2.2.0', slow));
    const stop = new AbortController();
    const found = find({ signal: stop.signal });
    const refused = expect(found).rejects.toThrow('enough');
    await expect.poll(() => existsSync(join(fakes.folder, 'go-begun')), { timeout: 10_000 }).toBe(true);
    stop.abort(new Error('enough'));
    await refused;
    expect(fakes.read('go-end')).toBe('stopped\n');
    expect(readdirSync(join(fakes.directory, '.fest/bin'))).toEqual([]);
  });

  test('happens once when two ask at the same time', async () => {
    fakes.add('bin/go', goThatMakes('v2.2.0', 'sleep 1'));
    const both = await Promise.all([find(), find()]);
    expect(both.map(({ origin, version }) => [origin, version])).toEqual([
      ['built', 'v2.2.0'],
      ['built', 'v2.2.0'],
    ]);
    expect(fakes.read('go-builds').trim().split('\n')).toHaveLength(1);
    expect(fakes.said).toContain('Another fest is building k6 here: waiting for it.');
    expect(readdirSync(join(fakes.directory, '.fest/bin'))).toEqual(['k6']);
  });

  test('takes over from a build that was killed, and removes what that left', async () => {
    fakes.add('bin/go', goThatMakes('v2.2.0'));
    fakes.add('here/.fest/bin/k6-build-dead/half', '');
    fakes.add('here/.fest/bin/k6.lock', '');
    const longAgo = new Date(Date.now() - 60_000);
    const { utimesSync } = await import('node:fs');
    utimesSync(join(fakes.directory, '.fest/bin/k6.lock'), longAgo, longAgo);
    expect(await find()).toMatchObject({ origin: 'built' });
    expect(readdirSync(join(fakes.directory, '.fest/bin'))).toEqual(['k6']);
  });

  test('does not happen with a Go that is too old, nor when it may not', async () => {
    const old = fakes.add('bin/go', 'echo go1.21.13');
    expect((await refusal()).why).toContain(`${old} is Go 1.21.13, and 1.26.0 is needed`);
    fakes.add('bin/go', goThatMakes('v2.2.0'));
    expect((await refusal({ mayBuild: false })).why).toContain('Go 1.26.8 could build one');
    expect(fakes.read('go-builds')).toBe('');
  });
});

describe('the container', () => {
  test('is pulled and used when there is neither a k6 nor a Go', async () => {
    const path = fakes.add('bin/docker', DOCKER);
    expect(await find()).toMatchObject({
      kind: 'container',
      origin: 'container',
      engine: 'docker',
      image: 'grafana/k6:2.2.0',
      path,
      version: 'v2.2.0',
    });
    expect(
      fakes
        .read('docker-calls')
        .split('\n')
        .map((call) => call.split(' ')[0]),
    ).toEqual(expect.arrayContaining(['info', 'image', 'pull', 'run']));
    expect(fakes.said[0]).toBe('No k6 and no Go here: pulling grafana/k6:2.2.0 with docker.');
  });

  test('is used without pulling when it may not', async () => {
    fakes.add('bin/docker', DOCKER);
    expect((await refusal({ mayBuild: false })).why).toContain('docker is here, but not the image grafana/k6:2.2.0');
    fakes.add('pulled', '');
    expect(await find({ mayBuild: false })).toMatchObject({ engine: 'docker' });
  });

  test('is run by podman where docker does not answer', async () => {
    fakes.add('bin/docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    fakes.add('bin/podman', DOCKER);
    expect(await find()).toMatchObject({ engine: 'podman' });
  });
});

test('without any way to a k6 the error says three of them, with commands', async () => {
  fakes.addK6('bin/k6', 'v1.4.2');
  fakes.add('bin/docker', 'exit 1');
  const { what, why, fix } = await refusal();
  expect(what).toBe('There is no k6 2 here');
  expect(why).toMatch(/k6 v1\.4\.2.*no Go in PATH.*docker is here, but does not answer/);
  expect(fix).toContain('brew install k6');
  expect(fix).toMatch(/go build -trimpath -o \S+\/\.fest\/bin\/k6 go\.k6\.io\/k6\/v2/);
  expect(fix).toContain('docker pull grafana/k6:2.2.0');
});

test('of the environment a k6 sees only what is meant for it', async () => {
  fakes.addK6('bin/k6', 'v2.2.0');
  const env = { ...fakes.env, K6_OUT: 'cloud', K6_VUS: '1', GOMAXPROCS: '1', FEST_TOKEN: 'secret', HOME: '/home/me' };
  const { environment } = await find({ env });
  expect(environment).toEqual({ PATH: fakes.env.PATH, GOMAXPROCS: '1' });
});
