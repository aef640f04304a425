import type { Command } from 'commander';
import { aboutCommand } from './help-texts.ts';

/**
 * `fest help [command…]`, and topics that are not commands.
 * @param showTopic shows a topic and tells whether there is one of that name
 * @param showAbout writes what a command is at length, behind its help
 */
export function addHelpCommand(
  program: Command,
  showTopic: (topic: string) => Promise<boolean>,
  showAbout: (text: string) => void,
): void {
  program
    .command('help')
    .description('explain a command, or exit-codes')
    .argument('[command...]', 'command or topic')
    .action(async (words: readonly string[]) => {
      const [first] = words;
      if (first !== undefined && (await showTopic(first))) return;
      let command = program;
      for (const word of words) {
        const next = command.commands.find(
          (candidate) => candidate.name() === word || candidate.aliases().includes(word),
        );
        if (next === undefined) program.error(`Error: there is no help for '${words.join(' ')}'`, { exitCode: 2 });
        command = next;
      }
      command.outputHelp();
      const about = aboutCommand(command);
      if (about !== undefined) showAbout(`\n${about}\n`);
    });
}
