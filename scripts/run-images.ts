/**
 * `npm run images`: builds the server's image and runs a deployment of it, without a container engine: the Dockerfile's steps in
 * folders laid over this machine's system, two servers of that image with a root that nobody can write, as its user, behind the
 * load balancer's configuration. Needs Linux, root, overlayfs and haproxy, and says so where one is missing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { type Container, type ContainerOptions, runInImage, startContainer } from './images/container.ts';
import { copyContext } from './images/context.ts';
import { parseDockerfile } from './images/dockerfile.ts';
import { type BuiltStage, buildStage, stagesOf } from './images/layers.ts';
import { obstacles } from './images/obstacles.ts';
import { makeSystem } from './images/system.ts';
import { buy, checkInsides, checkRequestIds } from './images/through-the-balancer.ts';
import { openDesk } from './measuring/sale.ts';
import { openStage, type Stage } from './measuring/stage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const READY_WITHIN_MS = 60_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function holds(sentence: string, work: () => unknown): Promise<void> {
  await work();
  say(`ok: ${sentence}`);
}

function expectThat(truth: boolean, otherwise: string): void {
  if (!truth) throw new Error(otherwise);
}

function build(directory: string): BuiltStage {
  const context = join(directory, 'context');
  say(`${copyContext(ROOT, context)} files for the build`);
  const stages = stagesOf(parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')), 'server');
  const system = makeSystem(directory);
  const built = new Map<string, BuiltStage>();
  for (const stage of stages) built.set(stage.name, buildStage(stage, built, { directory, system, context, say }));
  const image = built.get('server');
  if (image === undefined) throw new Error('the Dockerfile has no stage server');
  return image;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function serverOptions(
  image: BuiltStage,
  stage: Stage,
  directory: string,
  name: string,
  port: number,
): ContainerOptions {
  const { state, paths } = stage.stack;
  const secrets = ensureSecrets(paths.secrets);
  return {
    image,
    directory: join(directory, name),
    env: {
      FEST_SERVER_NAME: name,
      FEST_HOST: '127.0.0.1',
      FEST_PORT: String(port),
      FEST_TRUST_PROXY: 'true',
      FEST_ENVIRONMENT: 'image',
      FEST_GATEWAY_DECLINE_RATE: '0',
      FEST_GATEWAY_TIMEOUT_RATE: '0',
      FEST_GATEWAY_UNKNOWN_RATE: '0',
      FEST_REDIS_URL: state.redisUrl,
      FEST_MYSQL_URL: state.mysqlUrl,
      FEST_JWT_SECRET: secrets.jwtSecret,
      FEST_QUEUE_TOKEN_SECRET: secrets.queueTokenSecret,
      FEST_TICKET_SIGNING_SEED: secrets.ticketSigningSeed,
    },
    volumes: {
      '/var/lib/fest/log': join(directory, name, 'log'),
      '/var/lib/fest/gateway': join(paths.directory, '.fest', 'gateway'),
    },
  };
}

async function untilHealthy(options: ContainerOptions, container: Container): Promise<void> {
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await sleep(500)) {
    expectThat(container.child.exitCode === null, `the container ended:\n${container.output()}`);
    if (runInImage(options, options.image.health).status === 0) return;
  }
  throw new Error(`its health check did not succeed within ${READY_WITHIN_MS / 1_000} s:\n${container.output()}`);
}

async function deploy(
  image: BuiltStage,
  directory: string,
  stage: Stage,
  closing: Array<() => unknown>,
): Promise<void> {
  const ports = [await freePort(), await freePort()];
  const options = ports.map((port, index) => serverOptions(image, stage, directory, `image-${index + 1}`, port));
  const containers = options.map((each) => startContainer(each));
  for (const container of containers) closing.push(() => container.stop());
  for (const [index, container] of containers.entries()) {
    const each = options[index];
    if (each !== undefined)
      await holds(`image-${index + 1} is healthy by the image's own check`, () => untilHealthy(each, container));
  }
  const [first, second] = containers as [Container, Container];
  checkConfinement(options[0] as ContainerOptions, first);

  const [port, inside] = [await freePort(), await freePort()];
  const balancer = spawn('haproxy', ['-db', '-f', join(ROOT, 'infra/local/haproxy/haproxy.cfg')], {
    env: {
      PATH: process.env.PATH,
      FEST_LISTEN_PORT: String(port),
      FEST_LISTEN_PORT_INSIDE: String(inside),
      FEST_SERVER_ONE: `127.0.0.1:${ports[0]}`,
      FEST_SERVER_TWO: `127.0.0.1:${ports[1]}`,
    },
    stdio: 'ignore',
  });
  closing.push(() => balancer.kill());
  const health = `http://127.0.0.1:${inside}/health`;
  await holds('the load balancer finds a server', async () => {
    for (let tries = 0; tries < 40; tries += 1, await sleep(250)) {
      const status = await fetch(health).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) return;
    }
    throw new Error(`${health} does not say 200`);
  });
  const desk = await openDesk(stage, 'A festival of images', Date.now());
  const deployment = {
    url: `http://127.0.0.1:${port}`,
    saleId: await desk.openSale({ capacity: 100, nowMs: Date.now() }),
  };
  await holds('a request has one id through balancer and server', () => checkRequestIds(deployment));
  await holds('metrics are not told outside', () => checkInsides(deployment));
  await holds('a buyer buys through the load balancer', () => buy(deployment));
  await holds('a server that is told to stop finishes, and ends with 0', async () => {
    const stopping = first.stop();
    await Promise.all([buy(deployment), stopping]);
    expectThat((await stopping) === 0, `it ended with ${await stopping}:\n${first.output()}`);
  });
  await holds('the other one goes on selling', () => buy(deployment));
  await holds('every line of its log is one JSON object of this server', () => {
    for (const line of second.output().trim().split('\n')) {
      const { time, level, server } = JSON.parse(line) as Record<string, unknown>;
      expectThat(typeof time === 'string' && typeof level === 'string' && server === 'image-2', line);
    }
  });
}

function checkConfinement(options: ContainerOptions, container: Container): void {
  const status = readFileSync(`/proc/${container.pid()}/status`, 'utf8');
  expectThat(/^Uid:\t10001\t10001\t/m.test(status), `it runs as ${/^Uid:.*/m.exec(status)}`);
  say('ok: it runs as user 10001');
  const script = (path: string) => `require('node:fs').writeFileSync('${path}', 'x')`;
  for (const path of ['/opt/fest/x', '/opt/fest/packages/server/dist/main.js', '/etc/x', '/x']) {
    const { status: code, output } = runInImage(options, ['node', '-e', script(path)]);
    expectThat(code !== 0 && /EROFS|EACCES/.test(output), `${path} could be written: ${output}`);
  }
  say('ok: nothing of its root can be written');
  expectThat(
    runInImage(options, ['node', '-e', script('/var/lib/fest/gateway/x')]).status === 0,
    'a volume cannot be written',
  );
  const { output } = runInImage(options, ['node', '--version']);
  const wanted = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: { node: string } })
    .dependencies.node;
  expectThat(output.trim() === `v${wanted}`, `it runs Node ${output}, not ${wanted}`);
  say(`ok: it runs Node ${wanted}, that of the lock file`);
}

const missing = obstacles();
if (missing.length > 0) {
  process.stderr.write(`!!! SKIPPED: the image without an engine. ${missing.join(' ')}\n`);
  process.exit(process.env.CI === undefined ? 0 : 1);
}
const directory = mkdtempSync(join(tmpdir(), 'fest-images-'));
const closing: Array<() => unknown> = [() => rmSync(directory, { recursive: true, force: true })];
try {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  spawnSync('chmod', ['755', directory]);
  const image = build(directory);
  const size = spawnSync('du', ['-sm', ...image.layers.slice(0, -1)], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
  say(`image: ${size.reduce((sum, line) => sum + Number.parseInt(line, 10), 0)} MiB above its base`);
  const context = { env: process.env, say, signal: AbortSignal.timeout(900_000) };
  const stage = await openStage({ purpose: 'npm run images', directory: undefined, gatewayMs: 20 }, context);
  closing.unshift(() => stage.close());
  const running: Array<() => unknown> = [];
  closing.unshift(async () => Promise.all(running.map((close) => close())));
  await deploy(image, directory, stage, running);
} catch (error) {
  process.stderr.write(`FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const close of closing) await close();
}
