/** `fest bench …`, on one page. */
import { BENCH_PROFILES, BENCH_SCENARIOS, type BenchScenario } from '@fest/loadtest/bench/plan';
import { type Command, Option } from 'commander';
import { SCENARIO_WORDS } from './commands/bench/scenario-words.ts';
import type { Context } from './context.ts';
import { examplesHelp } from './help-examples.ts';
import type { Run } from './program.ts';

type RunCommand = (work: Run) => Promise<void>;

/** What is worth trying with it. */
const EXAMPLES: Readonly<Record<BenchScenario, readonly [flags: string, what: string]>> = {
  festival: ['--vus 5000 --rate 30', 'its figures: 150 users admitted every 5 s'],
  onsale: ['--profile spike --rate 500', 'a crowd that comes at 500 a second'],
  waiting: ['--profile stress', 'a million people, 8,000 questions a second'],
  mix: ['--rate 1000 --duration 5m', 'a thousand requests a second for five minutes'],
  funnel: ['--vus 200', '200 buyers at a time'],
  websocket: ['--vus 5000', '5,000 open sockets'],
  abuse: ['--profile stress', '100 attacks a second'],
  seedstorm: ['--profile spike', '400 logins a second at its height'],
};

/** These go as fast as they are answered, or by themselves. */
const WITHOUT_RATE: readonly BenchScenario[] = ['funnel', 'websocket'];

export function addBenchCommands(program: Command, context: Context, run: RunCommand): void {
  const bench = program.command('bench').description('load tests with k6, and their proof that nothing was sold twice');
  for (const scenario of BENCH_SCENARIOS) addScenario(bench, scenario, context, run);
  addRehearse(bench, context, run);
  addList(bench, context, run);
  addCompare(bench, context, run);
}

function addScenario(bench: Command, scenario: BenchScenario, context: Context, run: RunCommand): void {
  const example = EXAMPLES[scenario];
  const command = bench.command(scenario).description(SCENARIO_WORDS[scenario]);
  // It stands for the load here; the environment has a flag of its own.
  command.createHelp = () =>
    Object.assign(bench.createHelp(), {
      visibleGlobalOptions: (self: Command) =>
        optionsAbove(self).filter(({ long, hidden }) => !hidden && long !== '--profile'),
    });
  command
    .addOption(new Option('--profile <load>', 'how much load (default: average)').choices(BENCH_PROFILES))
    .option('--environment <name>', 'environment of fest.config.yaml, which is --profile elsewhere (FEST_PROFILE)')
    .option('--target <url...>', 'servers to test (default: the stack of the folder, or one made for the run)')
    .option('--vus <number>', 'virtual users: how many come, or are kept ready');
  if (!WITHOUT_RATE.includes(scenario)) {
    const what = scenario === 'festival' ? 'admitted a second, a fixed rate' : 'arrivals a second at the height';
    command.option('--rate <number>', what);
  }
  command
    .option('--duration <time>', 'length of the load: 90, 90s, 5m; 20m at most')
    .option('--servers <number>', 'server processes of a stack made for the run (default: 1)')
    .addOption(new Option('--mode <mode>', 'how buyers are admitted').choices(['auto', 'fixed']))
    .option('--per-second <number>', 'admitted a second, at most')
    .option('--max-active <number>', 'buyers who may hold or pay at once')
    .option('--threshold-factor <number>', 'multiplies the bounds of latency, on a machine known to be slow')
    .option('--seed <text>', 'another one leads to other random choices')
    .option('--baseline <id>', 'compare with this result: its id or its folder, last, previous')
    .option('--out <folder>', 'where the result goes (default: .fest/bench/<id>)')
    .option('--prepare-only', 'make accounts and sale, write what k6 needs to --out, and run nothing')
    .option('--k6 <path>', 'the k6 to use (K6_BIN; default: PATH, .fest/bin, built with Go, a container)')
    .option('--no-build', 'neither build k6 nor pull its image')
    .option('--no-install', 'never install missing engines with apt-get')
    .option('--allow-remote', 'servers on other machines may be loaded')
    .option('--confirm <name>', 'name of a production environment, instead of being asked for it')
    .addHelpText(
      'after',
      examplesHelp(
        [
          [`fest bench ${scenario}`, 'with a stack of its own, or the one that runs here'],
          [`fest bench ${scenario} --profile smoke`, 'whether it works at all, in seconds'],
          [`fest bench ${scenario} ${example[0]}`, example[1]],
          [`fest bench ${scenario} --baseline last --json`, 'for scripts: beside the result before'],
        ],
        [0, 2, 3, 4, 5, 6, 7, 8, 130],
      ),
    )
    .action((_options, self: Command) =>
      run(async () => {
        const { runBench } = await import('./commands/bench/bench.ts');
        return runBench(context, scenario, self.optsWithGlobals());
      }),
    );
}

function optionsAbove(command: Command): readonly Option[] {
  return command.parent === null ? [] : [...command.parent.options, ...optionsAbove(command.parent)];
}

function addRehearse(bench: Command, context: Context, run: RunCommand): void {
  bench
    .command('rehearse')
    .description('find the rate of arrivals that the servers sustain, and propose how to admit buyers')
    .option('--from <number>', 'first rate, arrivals a second (default: 20)')
    .option('--to <number>', 'largest rate (default: 500)')
    .option('--seconds <number>', 'length of a step (default: 10)')
    .option('--steps <number>', 'steps at most; fewer when the knee is known before (default: 24)')
    .option('--minutes <number>', 'no step begins that would end later (default: 12)')
    .option(
      '--inside <seconds>',
      'how long somebody is inside, on average (default: reckoned, see docs/load-testing.md)',
    )
    .option(
      '--hold-seconds <number>',
      'how long holds of the real sale last (default: 300; with --apply as it has them)',
    )
    .option(
      '--apply <sale>',
      'set what is proposed for this sale, after a question; looked at before anything is measured',
    )
    .option('-y, --yes', 'with --apply: do not ask')
    .option('--environment <name>', 'environment of fest.config.yaml (FEST_PROFILE)')
    .option('--target <url...>', 'servers to test (default: the stack of the folder, or one made for the run)')
    .option('--servers <number>', 'server processes of a stack made for the run (default: 1)')
    .option('--seed <text>', 'another one leads to other random choices')
    .option('--k6 <path>', 'the k6 to use (K6_BIN; default: PATH, .fest/bin, built with Go, a container)')
    .option('--no-build', 'neither build k6 nor pull its image')
    .option('--no-install', 'never install missing engines with apt-get')
    .option('--allow-remote', 'servers on other machines may be loaded')
    .option('--confirm <name>', 'name of a production environment, instead of being asked for it')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest bench rehearse', 'some minutes: the knee, how sure it is, and a proposal'],
          ['fest bench rehearse --from 50 --to 1000 --steps 40 --minutes 15', 'a larger deployment, more surely'],
          [
            'fest bench rehearse --inside 120 --apply 3',
            'for people who are inside for two minutes; sets sale 3 after a question',
          ],
        ],
        [0, 2, 3, 4, 5, 6, 7, 8, 130],
      ),
    )
    .action((_options, self: Command) =>
      run(async () => {
        const { runRehearsal } = await import('./commands/bench/rehearse.ts');
        return runRehearsal(context, self.optsWithGlobals());
      }),
    );
}

function addList(bench: Command, context: Context, run: RunCommand): void {
  bench
    .command('list')
    .description('results of this folder, newest first')
    .addHelpText('after', examplesHelp([['fest bench list', 'what was tested, and what came of it']], [0, 2]))
    .action((_options, self: Command) =>
      run(async () => {
        const { runBenchList } = await import('./commands/bench/list.ts');
        return runBenchList(context, self.optsWithGlobals());
      }),
    );
}

function addCompare(bench: Command, context: Context, run: RunCommand): void {
  bench
    .command('compare')
    .description('two results side by side, with their ratios')
    .argument('<before>', 'a result: its id or folder, “last”, or “previous”')
    .argument('<after>', 'another one')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest bench compare previous last', 'what a change has brought'],
          ['fest bench compare 20260701-120000-funnel-average last --json', 'for scripts: ratios, and what is noise'],
        ],
        // 7: they are not comparable.
        [0, 2, 7],
      ),
    )
    .action((before: string, after: string, _options, self: Command) =>
      run(async () => {
        const { runBenchCompare } = await import('./commands/bench/compare.ts');
        return runBenchCompare(context, before, after, self.optsWithGlobals());
      }),
    );
}
