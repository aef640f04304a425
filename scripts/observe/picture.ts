/** A page as a picture of its whole length, by a Chromium that is told what to do over its debugging protocol. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
const START_MS = 20_000;
const ANSWER_MS = 30_000;

/** Undefined when there is none in PATH. */
export function findBrowser(): string | undefined {
  return PROGRAMS.find((program) => spawnSync(program, ['--version']).error === undefined);
}

/** @param width of the page, CSS pixels; each is one of the picture */
export async function takePicture(browser: string, page: string, picture: string, width: number): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'fest-picture-'));
  // Chromium has no sandbox for root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const child = spawn(
    browser,
    [
      '--headless',
      '--disable-gpu',
      '--hide-scrollbars',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      ...sandbox,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    const tab = await Tab.open(await addressOf(child));
    try {
      const size = (height: number) =>
        tab.ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      await size(800);
      await tab.show(pathToFileURL(page).href);
      const { cssContentSize } = (await tab.ask('Page.getLayoutMetrics')) as { cssContentSize: { height: number } };
      await size(Math.ceil(cssContentSize.height));
      const { data } = (await tab.ask('Page.captureScreenshot', { format: 'png' })) as { data: string };
      writeFileSync(picture, Buffer.from(data, 'base64'));
    } finally {
      tab.close();
    }
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** It says where it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('the browser has no stderr');
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    for await (const line of createInterface({ input: child.stderr })) {
      const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (address !== undefined) {
        child.stderr.resume();
        return address;
      }
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error('the browser ended before it listened');
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

class Tab {
  readonly #socket: WebSocket;
  readonly #heard = new Set<(message: Message) => void>();
  #sessionId: string | undefined;
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      for (const hear of [...this.#heard]) hear(message);
    });
  }

  static async open(address: string): Promise<Tab> {
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`${address} does not answer`)));
    });
    const tab = new Tab(socket);
    const { targetId } = (await tab.ask('Target.createTarget', { url: 'about:blank' })) as { targetId: string };
    const attached = (await tab.ask('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string };
    tab.#sessionId = attached.sessionId;
    await tab.ask('Page.enable');
    return tab;
  }

  async ask(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#id;
    const answer = this.#hear((message) => message.id === id, method);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#sessionId }));
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async show(url: string): Promise<void> {
    const loaded = this.#hear(({ method }) => method === 'Page.loadEventFired', url);
    await this.ask('Page.navigate', { url });
    await loaded;
  }

  close(): void {
    this.#socket.close();
  }

  #hear(isIt: (message: Message) => boolean, what: string): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(new Error(`the browser does not answer: ${what}`)), ANSWER_MS);
      const done = (found: Message | Error): void => {
        clearTimeout(timer);
        this.#heard.delete(hear);
        if (found instanceof Error) reject(found);
        else resolve(found);
      };
      const hear = (message: Message): void => {
        if (isIt(message)) done(message);
      };
      this.#heard.add(hear);
    });
  }
}
