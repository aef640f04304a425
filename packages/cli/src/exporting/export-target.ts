/** Where an export is written: standard output, or a file that can be continued where it was cut. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { codeOf, FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ListPlace } from './export-format.ts';

/** Longer than any line: at most 20 ticket numbers, a name of 100 and an address of 254 characters. */
const LINE_BYTES_MAX = 64 * 1024;

export interface ExportTarget {
  /** Of the last line that is there already; undefined when none is. */
  readonly after: ListPlace | undefined;
  /** @returns false when nobody reads any more */
  write(lines: string): Promise<boolean>;
  close(): Promise<void>;
  /** Instead of `close` when nothing came of it: a file that was begun is gone again. */
  abandon(): Promise<void>;
}

export interface FileTargetOptions {
  readonly path: string;
  readonly resume: boolean;
  readonly header: string;
  /** The place of a whole line; undefined for what is no line of this list. */
  readonly parsePlace: (line: string) => ListPlace | undefined;
}

export function stdoutTarget({ stdout }: Pick<Context, 'stdout'>, header: string): ExportTarget {
  let isOpen = true;
  const write = async (lines: string): Promise<boolean> => {
    if (!isOpen || lines === '') return isOpen;
    stdout.write(lines);
    // One page in memory, however slowly it is read.
    isOpen = (await stdout.flush?.()) ?? true;
    return isOpen;
  };
  let pending = header;
  return {
    after: undefined,
    write: (lines) => {
      const text = pending + lines;
      pending = '';
      return write(text);
    },
    close: async () => {
      await write(pending);
    },
    abandon: async () => undefined,
  };
}

/** A file for its owner alone: it has names and addresses. */
export async function openFileTarget(cwd: string, options: FileTargetOptions): Promise<ExportTarget> {
  const path = resolve(cwd, options.path);
  const file = await openFile(path, options.resume);
  try {
    const after = options.resume ? await findEnd(file, path, options) : undefined;
    if (after === undefined) {
      await file.truncate(0);
      await file.appendFile(options.header);
    }
    return {
      after,
      write: async (lines) => {
        await file.appendFile(lines);
        return true;
      },
      close: async () => {
        await file.sync();
        await file.close();
      },
      abandon: async () => {
        await file.close();
        // One that was to be continued is as it was, but for what was no whole line.
        if (!options.resume) await rm(path, { force: true });
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string, resume: boolean): Promise<FileHandle> {
  try {
    return await open(path, resume ? 'a+' : 'ax+', 0o600);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new FixableError({
      what: `${path} is there already`,
      fix: 'Add --resume to go on behind its last whole line, or name another file.',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}

/** Cuts off what is no whole line, and finds the place of the last one; undefined when there is none behind the header. */
async function findEnd(file: FileHandle, path: string, options: FileTargetOptions): Promise<ListPlace | undefined> {
  const { size } = await file.stat();
  await checkHeader(file, path, size, options.header);
  const start = Math.max(0, size - LINE_BYTES_MAX);
  const bytes = Buffer.alloc(size - start);
  await file.read(bytes, 0, bytes.length, start);
  const lineEnd = bytes.lastIndexOf('\n');
  const end = start + lineEnd + 1;
  if (lineEnd === -1 && size > bytes.length) throw notOurs(path);
  if (end <= Buffer.byteLength(options.header)) return undefined;
  const line = bytes.subarray(bytes.lastIndexOf('\n', lineEnd - 1) + 1, lineEnd).toString('utf8');
  const place = lineEnd === -1 ? undefined : options.parsePlace(line.replace(/\r$/, ''));
  if (place === undefined) throw notOurs(path);
  await file.truncate(end);
  return place;
}

/** A file that begins otherwise is somebody else's; one that was cut in its header begins like it. */
async function checkHeader(file: FileHandle, path: string, size: number, header: string): Promise<void> {
  const wanted = Buffer.from(header);
  const found = Buffer.alloc(Math.min(size, wanted.length));
  await file.read(found, 0, found.length, 0);
  if (!wanted.subarray(0, found.length).equals(found)) throw notOurs(path);
}

function notOurs(path: string): FixableError {
  return new FixableError({
    what: `${path} cannot be continued`,
    why: 'it is not what this command writes in this format: its first or its last line is another',
    fix: 'Name the file of the same export and --format, or begin a new one without --resume.',
    exitCode: EXIT.usage,
  });
}
