/** `fest watch --json`: every document a line, until enough were written, Ctrl-C, or nobody reads any more. */
import type { Context } from '../../context.ts';
import type { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocumentLine } from '../../render/document.ts';
import type { SessionHolder } from '../../session.ts';
import { createStopSwitch } from '../../stop-switch.ts';
import { LiveClient } from './live-client.ts';

export interface StreamOptions {
  readonly context: Context;
  readonly session: SessionHolder;
  readonly urls: readonly string[];
  /** Documents to write; infinite for no end. */
  readonly count: number;
}

export async function streamDocuments({ context, session, urls, count }: StreamOptions): Promise<ExitCode> {
  const { stdout, stderr } = context;
  const stop = createStopSwitch(context);
  let written = 0;
  let isWriting = false;
  let refused: FixableError | undefined;
  const client = new LiveClient({
    urls,
    session,
    now: context.now,
    random: context.random,
    listener: {
      onDocument(document) {
        // A reader that is slower than one a second misses some: what it gets is fresh, and memory does not grow.
        if (isWriting || written >= count) return;
        writeDocumentLine(stdout, 'fest.watch/1', { live: document });
        written += 1;
        isWriting = true;
        void flush(context).then((hasReader) => {
          isWriting = false;
          if (!hasReader || written >= count) client.close();
        });
      },
      onConnection(connection) {
        if (connection.status !== 'lost') return;
        stderr.write(`No connection to ${connection.url}: ${connection.why}. Connecting again.\n`);
      },
      onRefused(error) {
        refused = error;
      },
    },
  });
  stop.signal.addEventListener('abort', () => client.close(), { once: true });
  try {
    await client.run();
  } finally {
    stop.dispose();
  }
  if (refused !== undefined) throw refused;
  // Ctrl-C is how it ends, unless so many were asked for.
  return stop.signal.aborted && Number.isFinite(count) ? EXIT.interrupted : EXIT.done;
}

async function flush({ stdout }: Context): Promise<boolean> {
  return (await stdout.flush?.()) ?? true;
}
