/** What may stand next on a command line. All of it is read off the commands themselves, so that it cannot be out of date. */
import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What only a server or a file knows. */
export type DynamicKind = 'sale' | 'festival' | 'profile';

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** To be asked for by whoever can. */
  readonly dynamic?: DynamicKind | undefined;
  /** The shell is to offer files. */
  readonly files: boolean;
}

const NOTHING: Completion = { candidates: [], files: false };

/** Topics of `fest help` that are no commands. */
const HELP_TOPICS: readonly Candidate[] = [{ value: 'exit-codes', description: 'what the exit codes mean' }];

/** @param words behind `fest`; the last one is being typed and may be empty */
export function completeWords(program: Command, words: readonly string[]): Completion {
  const typed = words.at(-1) ?? '';
  const { command, position, option, onlyArguments } = walk(program, words.slice(0, -1));
  const matching = (candidates: readonly Candidate[]) => candidates.filter(({ value }) => value.startsWith(typed));
  if (option !== undefined) return narrow(completeValue(option.long ?? '', option.flags, option.argChoices), matching);
  if (typed.startsWith('-') && !onlyArguments) {
    return { candidates: matching(optionsOf(command).flatMap(describeOption)), files: false };
  }
  if (command.name() === 'help') return { candidates: matching(helpTopics(program, words.slice(0, -1))), files: false };
  const subcommands = position === 0 ? visibleCommands(command).map(describeCommand) : [];
  const argument = command.registeredArguments[position] ?? lastVariadic(command);
  const own = argument === undefined ? NOTHING : completeArgument(command, argument);
  return narrow({ ...own, candidates: [...subcommands, ...own.candidates] }, matching);
}

type Matching = (candidates: readonly Candidate[]) => readonly Candidate[];

function narrow(completion: Completion, matching: Matching): Completion {
  return { ...completion, candidates: matching(completion.candidates) };
}

interface Walk {
  readonly command: Command;
  /** How many arguments it has so far. */
  readonly position: number;
  /** Its value comes next. */
  readonly option: Option | undefined;
  /** Behind `--`. */
  readonly onlyArguments: boolean;
}

function walk(program: Command, words: readonly string[]): Walk {
  let [command, position, onlyArguments] = [program, 0, false];
  let option: Option | undefined;
  for (const word of words) {
    // bash takes `--sale=3` for three words.
    if (word === '=' && option !== undefined) continue;
    if (option !== undefined) option = undefined;
    else if (!onlyArguments && word === '--') onlyArguments = true;
    else if (!onlyArguments && word.startsWith('-')) option = awaitsValue(command, word);
    else {
      const next = position === 0 ? command.commands.find((candidate) => candidate.name() === word) : undefined;
      if (next === undefined) position += 1;
      else command = next;
    }
  }
  return { command, position, option, onlyArguments };
}

function awaitsValue(command: Command, word: string): Option | undefined {
  const option = optionsOf(command).find(({ long, short }) => word === long || word === short);
  return option?.required === true ? option : undefined;
}

/** Of the command and of those it belongs to. */
function optionsOf(command: Command): readonly Option[] {
  const own = command.options.filter(({ hidden }) => !hidden);
  return command.parent === null ? own : [...own, ...optionsOf(command.parent)];
}

function describeOption({ long, short, description }: Option): readonly Candidate[] {
  const value = long ?? short;
  return value === undefined ? [] : [{ value, description }];
}

export function visibleCommands(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function describeCommand(command: Command): Candidate {
  return { value: command.name(), description: command.summary() || command.description() };
}

function lastVariadic(command: Command): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}

function completeArgument(command: Command, argument: Argument): Completion {
  const { description, argChoices } = argument;
  if (argChoices !== undefined) return { candidates: argChoices.map(withoutDescription), files: false };
  const name = argument.name();
  if (['file', 'directory', 'folder'].includes(name)) return { candidates: [], files: true };
  if (name === 'festival') return { ...NOTHING, dynamic: 'festival' };
  const isSale =
    name === 'sale' || (name === 'id' && (command.parent?.name() === 'sale' || /\bsale\b/.test(description)));
  return isSale ? { ...NOTHING, dynamic: 'sale' } : NOTHING;
}

/** @param flags with the name of the value: `--output <file>` */
function completeValue(long: string, flags: string, choices: readonly string[] | undefined): Completion {
  if (choices !== undefined) return { candidates: choices.map(withoutDescription), files: false };
  const placeholder = /<([^>]+)>/.exec(flags)?.[1] ?? '';
  if (long === '--profile') return { ...NOTHING, dynamic: 'profile' };
  if (long === '--festival') return { ...NOTHING, dynamic: 'festival' };
  if (long === '--sale' || placeholder === 'sale') return { ...NOTHING, dynamic: 'sale' };
  return { candidates: [], files: ['file', 'folder', 'directory'].includes(placeholder) };
}

function withoutDescription(value: string): Candidate {
  return { value, description: '' };
}

/** The words behind `help` name a command, as if `help` were not there. */
function helpTopics(program: Command, words: readonly string[]): readonly Candidate[] {
  const path = words.slice(words.indexOf('help') + 1);
  const { command, position } = walk(program, path);
  if (position > 0) return [];
  const topics = visibleCommands(command).map(describeCommand);
  return path.length === 0 ? [...topics, ...HELP_TOPICS] : topics;
}
