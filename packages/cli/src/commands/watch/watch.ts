import type { Context, GlobalOptions, Terminal } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { findSessionHolder } from '../../session.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import { createTheme, isUtf8Locale } from '../../tui/theme.ts';
import { parseSaleId } from '../sale/sale-api.ts';
import { runDashboard } from './dashboard.ts';
import { streamDocuments } from './stream.ts';

export interface WatchOptions extends GlobalOptions {
  readonly write?: boolean;
  readonly ascii?: boolean;
  readonly count?: string;
}

/** `fest watch`: the dashboard on a terminal; with `--json` the documents it is made of. */
export async function runWatch(context: Context, id: string | undefined, options: WatchOptions): Promise<ExitCode> {
  const saleId = id === undefined ? undefined : parseSaleId(id);
  if (options.json === true) {
    refuseForStream(options, saleId);
    const count = parseCount(options.count);
    const settings = await loadSettings(context, options);
    const session = findSessionHolder(context, settings, 'operator');
    return streamDocuments({ context, session, urls: urlsOf(settings), count });
  }
  if (options.count !== undefined) throw wrong('--count is only for --json', 'Add --json, or leave --count out.');
  const terminal = getTerminal(context);
  const settings = await loadSettings(context, options);
  return runDashboard({
    context,
    settings,
    terminal,
    session: findSessionHolder(context, settings, 'operator'),
    urls: urlsOf(settings),
    theme: createTheme({ ascii: options.ascii === true || !isUtf8Locale(context.env), colour: context.colour.stdout }),
    mayWrite: options.write === true,
    saleId,
  });
}

function getTerminal(context: Context): Terminal {
  const terminal = context.findTerminal();
  if (terminal !== undefined) return terminal;
  throw new FixableError({
    what: 'fest watch needs a terminal',
    why: 'standard input or output is none that can move its cursor',
    fix: 'For scripts: fest watch --json writes a document a second, fest sale show <id> tells about one sale.',
    exitCode: EXIT.usage,
  });
}

/** Every server of a deployment tells about all of it; those of a local stack are known. */
function urlsOf({ url, localState }: Settings): readonly string[] {
  const others = localState?.baseUrls.includes(url.value) === true ? localState.baseUrls : [];
  return [url.value, ...others.filter((other) => other !== url.value)];
}

function refuseForStream({ write, ascii }: WatchOptions, saleId: number | undefined): void {
  if (write === true) throw wrong('--json only reads', 'Leave --write out; fest sale changes sales.');
  if (ascii === true) throw wrong('--ascii is for the screen', 'Leave it out.');
  if (saleId !== undefined) throw wrong('--json tells about all sales', 'Leave the id out, and choose from `sales`.');
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const count = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(count)) return count;
  throw wrong(`--count is wrong: “${text}”`, 'Give a whole number from 1 on.');
}

function wrong(what: string, fix: string): FixableError {
  return new FixableError({ what, fix, exitCode: EXIT.usage });
}
