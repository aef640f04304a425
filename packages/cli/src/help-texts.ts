/**
 * The examples of commands that do not bring their own, and what `fest help <command>` says at length. A test walks the program: no
 * command is without.
 */
import { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { examplesHelp } from './help-examples.ts';

interface HelpText {
  readonly examples: readonly (readonly [commandLine: string, what: string])[];
  /** Those that a script has to tell apart. */
  readonly exitCodes: readonly ExitCode[];
  /** A paragraph, for `fest help <command>`. */
  readonly about?: string;
}

const SALE_CODES = [0, 2, 5, 6] as const;
const CHANGE_CODES = [0, 2, 3, 4, 5, 6] as const;

const HELP_TEXTS: Readonly<Record<string, HelpText>> = {
  up: {
    examples: [
      ['fest up', 'one server on port 8080, or the next free one'],
      ['fest up --servers 2 --port 9000', 'two servers, on 9000 and 9001 or not at all'],
      ['fest -C /tmp/other up', 'a second stack, in another folder'],
    ],
    exitCodes: [0, 2, 5, 6, 130],
    about:
      'Starts or finds Redis and MySQL, starts servers on 127.0.0.1, prints their addresses and stays until Ctrl-C. The data stays in ' +
      '.fest of the folder, with the accounts of the stack in .fest/local.json.',
  },
  demo: {
    examples: [
      ['fest demo', 'sell 1,000 tickets to 3,000 buyers, then stay up'],
      ['fest demo --buyers 20000 --servers 2', 'a bigger wall, two servers'],
      ['fest demo --exit --json', 'for scripts: 0 when all is well'],
    ],
    exitCodes: [0, 2, 5, 6, 7, 130],
    about:
      'Brings up a stack, seeds demo/festival.yaml, opens a sale, lets the buyers come, and compares order log, MySQL, Redis and what ' +
      'the buyers were told.',
  },
  doctor: {
    examples: [
      ['fest doctor', 'this machine, the stack of this folder and its servers'],
      ['fest doctor --profile production', 'a server elsewhere, and your session there'],
      ['fest doctor --fix', 'put right what can do no harm'],
      ['fest doctor --json', 'for scripts: checks with a remedy each'],
    ],
    exitCodes: [0, 2, 7],
    about:
      '--fix takes the rights of others away from files with secrets, and takes away the lock and the state of a stack that is gone and ' +
      'has left nothing running; it makes the folder for the output of processes. Stores, processes and order logs it never touches.',
  },
  login: {
    examples: [
      ['fest login --url https://tickets.example.org', 'asks for address and password'],
      ['fest login --profile staging --email ops@example.org', 'the environment of fest.config.yaml'],
      ['fest login --token-stdin --profile staging < token', 'a token that was made elsewhere'],
    ],
    exitCodes: [0, 2, 4, 6],
    about:
      'The session is kept for each server in $XDG_CONFIG_HOME/fest/credentials.json, for its owner alone, and renewed when it is used. ' +
      'A bare access token cannot be renewed. There is no flag for secrets: arguments are visible to everybody on the machine.',
  },
  seed: {
    examples: [
      ['fest seed demo/festival.yaml', 'into the stack of this folder'],
      ['FEST_MYSQL_URL=… FEST_REDIS_URL=… fest seed festivals.yaml', 'into other stores'],
    ],
    exitCodes: [0, 2, 6, 8],
    about: 'What has the same key is compared and changed; what is no longer in the file stays. Repeating it is safe.',
  },
  'sale list': {
    examples: [
      ['fest sale list', 'all sales'],
      ['fest sale list --json', 'for scripts'],
    ],
    exitCodes: SALE_CODES,
  },
  'sale show': { examples: [['fest sale show 3', 'one sale with its stock']], exitCodes: SALE_CODES },
  'sale open': {
    examples: [
      ['fest sale open 3', 'asks first'],
      ['fest sale open 3 --yes', 'for scripts'],
    ],
    exitCodes: CHANGE_CODES,
  },
  'sale pause': {
    examples: [
      ['fest sale pause 3', 'asks first'],
      ['fest sale pause 3 --yes', 'for scripts'],
    ],
    exitCodes: CHANGE_CODES,
  },
  'sale resume': {
    examples: [
      ['fest sale resume 3', 'asks first'],
      ['fest sale resume 3 --yes', 'for scripts'],
    ],
    exitCodes: CHANGE_CODES,
  },
  'sale close': {
    examples: [
      ['fest sale close 3', 'has its name typed'],
      ['fest sale close 3 --confirm 3', 'for scripts'],
    ],
    exitCodes: CHANGE_CODES,
  },
  'orders export': {
    examples: [
      ['fest orders export 3 -o orders.csv', 'into a new file'],
      ['fest orders export 3 -o orders.csv --resume', 'go on where it was cut, or with what came since'],
      ['fest orders export --festival 1 --json', 'all sales of a festival, a JSON document a line'],
      ['fest orders export 3 --after 3:1204 >> orders.csv', 'what is behind order 1204'],
    ],
    exitCodes: [0, 2, 4, 5, 6, 8, 130],
    about:
      'Orders are numbered 1, 2, 3 … in each sale as they are confirmed, and written in that order, without a gap: who goes on later has ' +
      'missed none. An order that is not archived yet is waited for; when it does not come, the export ends before it with 8. ' +
      'Each line is the order as it was when it was read. For operators, and organizers of the festival.',
  },
  'attendees export': {
    examples: [
      ['fest attendees export 1 -o gate.csv', 'the list for the gates'],
      ['fest attendees export 1 -o gate.csv --resume', 'go on where it was cut'],
      ['fest attendees export 1 --json', 'a JSON document a line'],
    ],
    exitCodes: [0, 2, 4, 5, 6, 130],
    about:
      'Tickets that are sold and not given back, by sale and number, each as it was when it was read. Export when the sales are closed: ' +
      'a low number that is sold late is behind whoever goes on. For gate staff, and organizers of the festival.',
  },
  'check-in': {
    examples: [
      ['fest check-in AQAAAAMAAAAR…', 'one ticket'],
      ['fest check-in - < codes.txt', 'one a line, with a summary at the end'],
      ['scanner | fest check-in - --json', 'as they are scanned, a JSON document a line'],
    ],
    exitCodes: [0, 2, 4, 5, 6, 8, 130],
    about:
      'A ticket is checked in once, whichever gates ask at the same moment. One that was checked in before is refused (5) with the time ' +
      'of it; among several from standard input it is told and the next is tried, and the command ends with 8. For gate staff.',
  },
  'config show': {
    examples: [
      ['fest config show', 'what counts here, and why'],
      ['fest config show --profile production --json', 'of another environment, for scripts'],
    ],
    exitCodes: [0, 2],
    about:
      'Strongest first: flag, a profile that a flag names, environment, a profile that FEST_PROFILE names, fest.config.yaml, the stack of ' +
      'the folder, default. Where a stack runs, also every variable of its servers.',
  },
  completion: {
    examples: [
      ['source <(fest completion bash)', 'in ~/.bashrc'],
      ['source <(fest completion zsh)', 'in ~/.zshrc, behind compinit'],
      ['fest completion fish > ~/.config/fish/completions/fest.fish', 'once'],
    ],
    exitCodes: [0, 2],
    about: 'Sales, festivals and profiles are asked for as you type, for 0.3 s at most.',
  },
  help: {
    examples: [
      ['fest help orders export', 'a command at length'],
      ['fest help exit-codes', 'what the exit codes mean'],
    ],
    exitCodes: [0, 2],
  },
};

/** Gives each command its examples, unless it brings its own. */
export function addHelpTexts(program: Command): void {
  for (const { command, path } of listCommands(program)) {
    const text = HELP_TEXTS[path];
    if (text === undefined || bringsHelp(command)) continue;
    command.addHelpText('after', examplesHelp(text.examples, text.exitCodes));
  }
}

/** commander's commands emit their help texts, which its types do not say. */
function bringsHelp(command: unknown): boolean {
  return command instanceof EventEmitter && command.listenerCount('afterHelp') > 0;
}

/** What `fest help <command>` says beyond `--help`; undefined: nothing. */
export function aboutCommand(command: Command): string | undefined {
  const about = HELP_TEXTS[pathOfCommand(command)]?.about;
  return about === undefined ? undefined : wrap(about);
}

/** As wide as commander's helps. */
const LINE_CHARACTERS = 80;

function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > LINE_CHARACTERS) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join('\n');
}

export interface ListedCommand {
  readonly command: Command;
  /** Its words behind `fest`. */
  readonly path: string;
}

/** Every command that does something, hidden ones included. */
export function listCommands(command: Command): readonly ListedCommand[] {
  if (command.commands.length === 0) return [{ command, path: pathOfCommand(command) }];
  return command.commands.flatMap(listCommands);
}

function pathOfCommand(command: Command): string {
  return command.parent === null ? '' : `${pathOfCommand(command.parent)} ${command.name()}`.trim();
}
