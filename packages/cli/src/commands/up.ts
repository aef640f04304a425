import type { Context, GlobalOptions } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { StackEvent } from '../local-stack/events.ts';
import { type LocalStack, startLocalStack } from '../local-stack/stack.ts';
import { renderBox } from '../render/box.ts';
import { writeDocument } from '../render/document.ts';
import { createStyle } from '../render/style.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { createStopSwitch } from '../stop-switch.ts';

export interface UpOptions extends GlobalOptions {
  readonly servers?: string;
  readonly port?: string;
  /** False with `--no-install`. */
  readonly install?: boolean;
}

/** `fest up`: runs the local stack until a signal ends it. */
export async function runUp(context: Context, options: UpOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const stopSwitch = createStopSwitch(context);
  try {
    const stack = await startLocalStack({
      ...stackOptions(context, settings),
      install: options.install ?? true,
      signal: stopSwitch.signal,
      onEvent: createEventPrinter(context),
    });
    stopSwitch.onSecond(() => stack.kill());
    announce(context, stack, options.json === true);
    await stopSwitch.pressed;
    context.stderr.write(
      'Stopping: the servers finish what is in flight, then Redis and MySQL. Ctrl-C again leaves at once.\n',
    );
    await stack.stop();
    context.stderr.write('Stopped. The data stays in .fest; `fest up` finds it again.\n');
    return EXIT.done;
  } finally {
    stopSwitch.dispose();
  }
}

/** What the settings say about a local stack; `fest up` and `fest demo` start it with the same. */
export function stackOptions(context: Context, settings: Settings) {
  const { redisUrl, mysqlUrl, port } = settings;
  // A local.json that is left over says nothing about where the engines of the next run are.
  const isGiven = (setting: typeof redisUrl) => setting !== undefined && setting.source !== 'local stack';
  return {
    directory: settings.directory,
    servers: settings.servers.value,
    ...(port === undefined ? {} : { port: port.value }),
    env: {
      ...context.env,
      ...(isGiven(redisUrl) ? { FEST_REDIS_URL: redisUrl?.value } : {}),
      ...(isGiven(mysqlUrl) ? { FEST_MYSQL_URL: mysqlUrl?.value } : {}),
    },
    now: context.now,
    random: context.random,
  };
}

/** Prints what happens as plain lines on stderr. */
export function createEventPrinter(context: Context): (event: StackEvent) => void {
  const style = createStyle(context.colour.stderr);
  return (event) => {
    const isBad = event.type === 'warning' || event.type === 'process-exited';
    context.stderr.write(`${isBad ? style.yellow(event.message) : event.message}\n`);
    if (event.type !== 'process-exited') return;
    for (const line of event.lastLines) context.stderr.write(`${style.dim(`  | ${line}`)}\n`);
  };
}

function announce(context: Context, stack: LocalStack, json: boolean): void {
  const { state, paths } = stack;
  if (json) {
    writeDocument(context.stdout, 'fest.up/1', {
      baseUrls: state.baseUrls,
      pid: state.pid,
      startedAt: state.startedAt,
      stateFile: paths.localState,
    });
  }
  const [first = ''] = state.baseUrls;
  const lines = [
    'fest is up',
    '',
    ...state.baseUrls.map((url, index) => `${(index === 0 ? 'API' : '').padEnd(9)} ${url}`),
    `docs      ${first}/docs`,
    `accounts  ${paths.localState}`,
    `logs      ${paths.logs}`,
    '',
    'Ctrl-C stops it.',
  ];
  context.stderr.write(context.stderr.isTTY ? renderBox(lines) : `${lines.join('\n')}\n`);
}
