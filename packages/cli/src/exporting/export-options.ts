/** The flags that every export has, and what they mean together. */
import { extname } from 'node:path';
import type { Context, GlobalOptions } from '../context.ts';
import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportShape,
  type ListPlace,
  parsePlace,
  parsePlaceText,
  renderHeader,
} from './export-format.ts';
import { type ExportTarget, openFileTarget, stdoutTarget } from './export-target.ts';

export interface ExportOptions extends GlobalOptions {
  readonly format?: string;
  readonly output?: string;
  readonly resume?: boolean;
  readonly after?: string;
}

export interface PreparedExport {
  readonly format: ExportFormat;
  readonly target: ExportTarget;
  /** Only what stands behind this. */
  readonly after: ListPlace | undefined;
}

/** Checks the flags, then opens the file, if one was named. @throws FixableError for flags that do not go together */
export async function prepareExport<Item>(
  context: Context,
  options: ExportOptions,
  shape: ExportShape<Item>,
): Promise<PreparedExport> {
  const { output, resume = false, after } = options;
  if (resume && output === undefined) throw usage('--resume needs --output <file>', 'Without a file: --after <place>');
  if (resume && after !== undefined)
    throw usage('--resume and --after do not go together', 'Leave --after away: the last line of the file says it.');
  const format = chooseFormat(options);
  const place = after === undefined ? undefined : parsePlaceText(after);
  const header = renderHeader(shape, format);
  if (output === undefined) {
    // What goes on is put behind what there is, which has a header.
    return { format, after: place, target: stdoutTarget(context, place === undefined ? header : '') };
  }
  const parse = (line: string) => parsePlace(shape, format, line);
  const target = await openFileTarget(context.cwd, { path: output, resume, header, parsePlace: parse });
  return { format, target, after: target.after ?? place };
}

function chooseFormat({ format, output, json }: ExportOptions): ExportFormat {
  if (format !== undefined) {
    const known = EXPORT_FORMATS.find((candidate) => candidate === format);
    if (known === undefined)
      throw usage(`There is no format “${format}”`, `Formats are ${EXPORT_FORMATS.join(' and ')}.`);
    if (json === true && output === undefined && known === 'csv')
      throw usage('--json and --format csv do not go together', 'Leave one of them away.');
    return known;
  }
  if (output !== undefined) return ['.ndjson', '.jsonl'].includes(extname(output)) ? 'ndjson' : 'csv';
  return json === true ? 'ndjson' : 'csv';
}

function usage(what: string, fix: string): FixableError {
  return new FixableError({ what, fix, exitCode: EXIT.usage });
}
