/** A real Alertmanager that tells nobody: what Prometheus brings its alerts to. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const READY_MS = 20_000;
/** Debian's name comes first: another program of the second may be something else. */
const NAMES = ['prometheus-alertmanager', 'alertmanager'];

export class Alertmanager {
  /** Host and port. */
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(address: string, child: ChildProcess) {
    this.address = address;
    this.#process = child;
  }

  /** Undefined where none is installed. @param folder empty; holds its configuration, its data and its log */
  static async start(folder: string): Promise<Alertmanager | undefined> {
    const program = NAMES.find((name) => spawnSync(name, ['--version']).error === undefined);
    if (program === undefined) return undefined;
    const configuration = join(folder, 'alertmanager.yml');
    writeFileSync(configuration, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n');
    const address = `127.0.0.1:${await freePort()}`;
    const log = openSync(join(folder, 'alertmanager.log'), 'a');
    const child = spawn(
      program,
      [
        `--config.file=${configuration}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--cluster.listen-address=',
      ],
      { stdio: ['ignore', log, log] },
    );
    const alertmanager = new Alertmanager(address, child);
    await alertmanager.#ready(join(folder, 'alertmanager.log'));
    return alertmanager;
  }

  /** Names of the alerts that were brought to it and are not over. */
  async alerts(): Promise<ReadonlySet<string>> {
    const answer = await fetch(`http://${this.address}/api/v2/alerts`, { signal: AbortSignal.timeout(5_000) });
    const alerts = (await answer.json()) as readonly { readonly labels: { readonly alertname: string } }[];
    return new Set(alerts.map(({ labels }) => labels.alertname));
  }

  /** It hangs; gives what lets it go on. */
  freeze(): () => Promise<void> {
    this.#process.kill('SIGSTOP');
    return async () => void this.#process.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
  }

  async #ready(log: string): Promise<void> {
    const untilMs = performance.now() + READY_MS;
    for (;;) {
      const answer = await fetch(`http://${this.address}/-/ready`).catch(() => undefined);
      if (answer?.status === 200) return;
      if (this.#process.exitCode !== null || performance.now() > untilMs) {
        throw new Error(`the Alertmanager did not start:\n${readFileSync(log, 'utf8')}`);
      }
      await sleep(100);
    }
  }
}
