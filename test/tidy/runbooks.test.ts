/** Runbooks are read when there is no time to look things up: each command line of `fest` in them is one that `fest` takes. */
import { createProgram } from '@fest/cli/program';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import type { Command } from 'commander';
import { lexer, type Tokens, walkTokens } from 'marked';
import { describe, expect, test } from 'vitest';
import { listFiles, read } from './repository.ts';

const PAGES = listFiles((path) => /^docs\/runbooks\/.*\.md$/.test(path));

/** Commands to type, as opposed to what they answer. */
const SHELL = new Set(['sh', 'bash', 'shell', 'console']);

/** A shell's words, without what it would do with them; `#` begins a comment. */
function wordsOf(line: string): readonly string[] {
  const words = line.match(/#.*$|(?:"[^"]*"|'[^']*'|\$\([^)]*\)|[^\s"';|&()])+|[;|&()]+/g) ?? [];
  return words.filter((word) => !word.startsWith('#')).map((word) => word.replaceAll(/^["']|["']$/g, ''));
}

/** What a command may stand behind. */
const LAUNCHERS = new Set(['npx', 'sudo', 'env', 'time', 'nice', 'exec', 'do', 'then']);

/** Whether the next word is a program, and no argument of one: `journalctl -u fest` is not our command. */
function isProgramAfter(words: readonly string[]): boolean {
  // `fest-server` runs what follows with the server's environment (infra/terraform).
  const last = words.findLastIndex((word) => word === '--' || /^(?:\S+\/)?fest-server$|^[;|&()]+$/.test(word));
  const [launcher, ...more] = words.slice(last + 1).filter((word) => !/^\w+=/.test(word));
  return (
    launcher === undefined ||
    (LAUNCHERS.has(launcher) && (more.length === 0 || (more.length === 2 && /^-[un]$/.test(more[0] ?? ''))))
  );
}

/** The arguments of each `fest` in a line: behind variables, `npx`, `sudo -u …`, `kubectl exec … --`, or in a pipe. */
function festCommands(line: string): readonly (readonly string[])[] {
  const commands: string[][] = [];
  let current: string[] | undefined;
  for (const [index, word] of wordsOf(line).entries()) {
    if (/^[;|&()]+$/.test(word) || /^[<>]/.test(word) || /^\d>/.test(word)) current = undefined;
    else if (current !== undefined) current.push(word);
    else if (word === 'fest' && isProgramAfter(wordsOf(line).slice(0, index))) {
      current = [];
      commands.push(current);
    }
  }
  return commands;
}

function linesOf(page: string): readonly string[] {
  const blocks: string[] = [];
  walkTokens(lexer(read(page)), (token) => {
    const { type, lang = '', text } = token as Tokens.Code;
    if (type === 'code' && SHELL.has(lang.split(/\s/)[0] ?? '')) blocks.push(text);
    // In a sentence, or a table.
    if (type === ('codespan' as string) && /^fest [a-z]/.test(text) && !text.endsWith(' …')) blocks.push(text);
  });
  return blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'));
}

function eachCommand(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const child of command.commands) eachCommand(child, change);
}

/** What is wrong with a command line; undefined: nothing. It is not carried out. */
async function faultOf(args: readonly string[]): Promise<string | undefined> {
  const program = createProgram(createFakeContext(), () => undefined);
  let isReached = false;
  eachCommand(program, (command) => {
    command.exitOverride();
    if (command.commands.length === 0) {
      command.action(() => {
        isReached = true;
      });
    }
  });
  try {
    await program.parseAsync(
      args.map((word) => word.replaceAll('…', 'x')),
      { from: 'user' },
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return isReached ? undefined : 'it is no whole command';
}

describe('a command line of fest is found', () => {
  test.each<[string, readonly (readonly string[])[]]>([
    ['fest sale show 3', [['sale', 'show', '3']]],
    ['FEST_URL=http://x fest watch --write # both hands', [['watch', '--write']]],
    ['fest watch --json --count 1 | jq .live && fest audit', [['watch', '--json', '--count', '1'], ['audit']]],
    ['kubectl exec fest-server-0 -- fest log ls', [['log', 'ls']]],
    ['fest sale list > sales.txt', [['sale', 'list']]],
    ['sudo -u fest fest log ls', [['log', 'ls']]],
    ['sudo -u fest /usr/local/bin/fest-server fest log ls', [['log', 'ls']]],
    ['kubectl rollout restart statefulset/fest-server', []],
    ['systemctl reload fest.service', []],
    ['journalctl -u fest -o cat | jq .', []],
    ['mysql -h "$NEW_HOST" -u admin -p fest < fest.sql', []],
    ['echo "no fest here"', []],
  ])('in %s', (line, expected) => {
    expect(festCommands(line)).toEqual(expected);
  });
});

describe('what fest would not take is a fault', () => {
  test.each([
    ['a command that there is not', ['sale', 'begin', '3']],
    ['a flag that it has not', ['sale', 'open', '3', '--now']],
    ['a flag without its value', ['audit', '--wait']],
    ['an argument that is missing', ['sale', 'open']],
    ['an argument too many', ['sale', 'open', '3', '4']],
    ['half a command', ['log']],
  ])('%s', async (_, args) => {
    expect(await faultOf(args)).toBeDefined();
  });

  test('and nothing else', async () => {
    expect(await faultOf(['--profile', 'production', 'sale', 'open', '$SALE', '--dry-run'])).toBeUndefined();
  });
});

test('there are runbooks, with commands', () => {
  expect(PAGES.length).toBeGreaterThanOrEqual(7);
  expect(PAGES.flatMap(linesOf).flatMap(festCommands).length).toBeGreaterThan(40);
});

test.each(PAGES)('every command line of fest in %s is one that fest takes', async (page) => {
  const faults: string[] = [];
  for (const line of linesOf(page)) {
    for (const args of festCommands(line)) {
      const fault = await faultOf(args);
      if (fault !== undefined) faults.push(`fest ${args.join(' ')}: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
});

describe('npm scripts that runbooks name', () => {
  const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(read('package.json'));

  test.each(PAGES)('are there: %s', (page) => {
    const named = [...read(page).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test.each(PAGES)('and so are files of scripts: %s', (page) => {
    const files = listFiles();
    const named = [...read(page).matchAll(/\bnode (scripts\/[\w./-]+\.ts)\b/g)].map(([, path = '']) => path);
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
  });
});

describe('what runbooks name on AWS', () => {
  const environments = ['production', 'staging'].map(
    (name) => /^ +name += "(.+)"$/m.exec(read(`infra/terraform/environments/${name}/main.tf`))?.[1] ?? 'no name',
  );
  const lines = PAGES.flatMap((page) => linesOf(page).map((line) => [page, line] as const));

  test('are the names that Terraform gives', () => {
    const option = /--(?!node-)(?:[a-z-]+-(?:group-id|instance-identifier|group-name)|secret-id) (\S+)/g;
    const named = lines.flatMap(([page, line]) =>
      [...line.matchAll(option)].map(([, name = '']) => [page, name] as const),
    );
    expect(named.length).toBeGreaterThanOrEqual(8);
    const isOurs = (name: string): boolean =>
      name.startsWith('$') || environments.some((environment) => name.replace(/^fest\//, '').startsWith(environment));
    expect(named.filter(([, name]) => !isOurs(name))).toEqual([]);
  });

  test('are addresses of resources that are in a module', () => {
    const addresses = lines.flatMap(([, line]) => [...line.matchAll(/\bmodule\.(\w+)\.(\w+)\.(\w+)/g)]);
    expect(addresses.length).toBeGreaterThanOrEqual(4);
    const missing = addresses.filter(([, module = '', type = '', name = '']) => {
      const files = listFiles((path) => path.startsWith(`infra/terraform/modules/${module}/`) && path.endsWith('.tf'));
      return !files.some((path) => read(path).includes(`resource "${type}" "${name}" {`));
    });
    expect(missing.map(([address]) => address)).toEqual([]);
  });
});

describe('what runbooks look for in the journal', () => {
  const source = listFiles((path) => path.startsWith('packages/server/src/') && !path.endsWith('.test.ts'))
    .map((path) => read(path))
    .join('\n');
  /** Of systemd's own. */
  const systemd = ['Main process exited'];
  const patterns = PAGES.flatMap((page) => linesOf(page).map((line) => [page, line] as const))
    .filter(([, line]) => line.includes('journalctl'))
    .flatMap(([page, line]) =>
      [...line.matchAll(/grep (?:-E )?'([^']+)'/g)].map(([, text = '']) => [page, text] as const),
    );

  test('is something', () => expect(patterns.length).toBeGreaterThanOrEqual(4));

  test.each(patterns)('is what servers write: %s, %s', (_, pattern) => {
    const [, levels] = /"level":"\(?([a-z|]+)\)?"/.exec(pattern) ?? [];
    const rest = pattern.replace(/"level":"\(?[a-z|]+\)?"/, '');
    for (const level of levels?.split('|') ?? []) expect(['warn', 'error', 'fatal']).toContain(level);
    for (const words of rest.split('|').filter((text) => text !== '' && !systemd.includes(text)))
      expect(source.includes(words), words).toBe(true);
  });
});
