/** The command line of a benchmark from a table of its flags: what is read, its help, and the command that repeats a run. Pure. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Flag } from './flags.ts';

type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The options that a table of flags gives. */
export type OptionsOf<Table extends Flags> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer Value> ? Value : never;
};

export interface CommandLineTable<Table extends Flags> {
  /** As it is typed, without flags. */
  readonly command: string;
  /** A sentence or two. */
  readonly purpose: string;
  /** By the names of their options, in the order of the help. */
  readonly flags: Table;
  /** Options whose flags the first line of the help shows. */
  readonly shown: ReadonlyArray<keyof Table & string>;
  /** A sentence after the flags. */
  readonly ending?: string;
  /** What is wrong with options each of which is right: a sentence each, with what to write instead. */
  readonly faultsBetween?: (options: OptionsOf<Table>) => readonly string[];
}

export interface CommandLine<Options> {
  readonly command: string;
  readonly usage: string;
  /** @throws {Error} with one sentence for each fault of the input, and how to put it right */
  parse(args: readonly string[]): Options | 'help';
  /** The command that does the same again. */
  commandOf(options: Options): string;
}

export function defineCommandLine<const Table extends Flags>(
  table: CommandLineTable<Table>,
): CommandLine<OptionsOf<Table>> {
  const { command, flags, faultsBetween } = table;
  return {
    command,
    usage: usageOf(table),
    parse(args) {
      const known: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
      for (const each of Object.entries(flags)) known[flagName(each)] = { type: 'string' };
      const { values } = parseArgs({ args: [...args], options: known });
      if (values.help === true) return 'help';
      const faults: string[] = [];
      const parsed = Object.entries(flags).map((each) => {
        const [option, flag] = each;
        const given = values[flagName(each)];
        if (typeof given !== 'string') return [option, flag.fallback];
        const read = flag.read(given, `--${flagName(each)}`);
        if ('value' in read) return [option, read.value];
        faults.push(read.fault);
        return [option, flag.fallback];
      });
      const result = Object.fromEntries(parsed) as OptionsOf<Table>;
      if (faults.length === 0) faults.push(...(faultsBetween?.(result) ?? []));
      if (faults.length > 0) throw new Error(faults.join('\n'));
      return result;
    },
    commandOf(options) {
      const asked = Object.entries(flags).flatMap((each) => {
        const [option, flag] = each;
        const [text, usual] = [flag.write?.(options[option]), flag.write?.(flag.fallback)];
        return text === usual ? [] : [`--${flagName(each)} ${text}`];
      });
      return [command, ...(asked.length === 0 ? [] : ['--', ...asked])].join(' ');
    },
  };
}

function flagName([option, { name }]: readonly [string, Flag<unknown>]): string {
  return name ?? option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function usageOf<Table extends Flags>({ command, purpose, flags, shown, ending }: CommandLineTable<Table>): string {
  const lines = Object.entries(flags).map((each) => {
    const [option, { placeholder, help, remark }] = each;
    const written = `--${flagName(each)} ${placeholder}`;
    return { option, written, help: remark === undefined ? help : `${help} (${remark})` };
  });
  const width = Math.max(...lines.map(({ written }) => written.length));
  const examples = shown.map((name) => `[${lines.find(({ option }) => option === name)?.written}]`);
  const rest = shown.length < lines.length ? ' …' : '';
  return [
    `${command} -- ${examples.join(' ')}${rest}`,
    '',
    purpose,
    '',
    ...lines.map(({ written, help }) => `  ${written.padEnd(width)}  ${help}`),
    ...(ending === undefined ? [] : ['', ending]),
    '',
  ].join('\n');
}
