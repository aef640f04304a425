/** Words that have no place in a source file, and what to write instead. */
import { describe, expect, test } from 'vitest';
import { listFiles, read } from './repository.ts';

interface Rule {
  readonly word: string;
  readonly pattern: RegExp;
  readonly instead: string;
  /** Files the rule is about. */
  readonly concerns: (path: string) => boolean;
  /** Files that may all the same, and why. */
  readonly except?: Readonly<Record<string, string>>;
  /** Look into comments as well. */
  readonly inComments?: boolean;
}

const isScript = (path: string): boolean => /\.tsx?$/.test(path);
const isTest = (path: string): boolean => path.startsWith('test/') || /\.test\.tsx?$/.test(path);
const isShipped = (path: string): boolean => isScript(path) && path.startsWith('packages/') && !isTest(path);
const isServer = (path: string): boolean => isShipped(path) && path.startsWith('packages/server/src/');
const isText = (path: string): boolean => /\.(tsx?|js|lua|sql|sh|ya?ml|tf|md)$/.test(path) || path === '.ci/run';

const WAITS_A_LITTLE_CHANCE = 'spreads the waits between retries; nothing is decided by it';

const RULES: readonly Rule[] = [
  {
    word: 'process.env or process.exit',
    pattern: /\bprocess\s*\.\s*(env|exit)\b|\bfrom 'node:process'/,
    instead:
      'take the values from a Config or a context; only the entry points read the environment and end the process',
    concerns: isShipped,
    except: {
      'packages/server/src/main.ts': 'entry point of the server',
      'packages/server/src/server-process.ts': 'ends the process when its order log has failed',
      'packages/cli/src/bin.ts': 'entry point of the command line',
    },
  },
  {
    word: 'Date.now or new Date()',
    pattern: /\bDate\s*\.\s*now\b|\bnew Date\(\)/,
    instead: 'pass the time in: `clock.nowMs()` in routes and timers, an argument `nowMs` in decisions',
    concerns: isServer,
    except: {
      'packages/server/src/platform/clock.ts': 'is where the time comes from',
      'packages/server/src/order-log/writer-thread.ts':
        'a thread of its own, which makes its own clock and passes it in',
    },
  },
  {
    word: 'Math.random',
    pattern: /\bMath\s*\.\s*random\b/,
    instead: 'pass the random source in; `randomBytes` for ids and secrets',
    concerns: isServer,
    except: {
      'packages/server/src/platform/retry.ts': 'the default of a parameter',
      'packages/server/src/platform/overload/load-shedder.ts': 'the default of a parameter',
      'packages/server/src/features/archive/applier.ts': WAITS_A_LITTLE_CHANCE,
      'packages/server/src/features/orders/cancellation.ts': WAITS_A_LITTLE_CHANCE,
      'packages/server/src/features/payments/payment-processor.ts': WAITS_A_LITTLE_CHANCE,
      'packages/server/src/workers/primary.ts': WAITS_A_LITTLE_CHANCE,
      'packages/server/src/platform/tracing.ts': 'chooses what is traced; nothing is decided by it',
      'packages/server/src/features/stock/rebuilds.ts': 'spreads the work over servers; nothing is decided by it',
    },
  },
  {
    word: 'setInterval',
    pattern: /\bsetInterval\b/,
    instead:
      'start the next round with setTimeout when the last one is over, so that rounds never overlap; see ticker.ts',
    concerns: isServer,
  },
  {
    word: 'as any',
    pattern: /\bas any\b|<any>|: any\b/,
    instead: '`unknown` and a check',
    concerns: isScript,
  },
  {
    word: 'a switched-off type check',
    pattern: /@ts-(ignore|expect-error|nocheck)\b/,
    instead: 'correct types, or a type guard',
    concerns: isScript,
    inComments: true,
  },
  {
    word: 'TODO or FIXME',
    pattern: /\b(TODO|FIXME)\b/,
    instead: 'do it, or write it under "Known limits" of docs/architecture.md',
    concerns: isText,
    inComments: true,
  },
  {
    word: 'a focused or skipped test',
    pattern: /\b(test|it|describe|integration)\s*\.\s*(only|skip|todo|fails|skipIf)\b/,
    instead: 'a test that runs, or none',
    concerns: isTest,
  },
  {
    word: 'an empty catch block',
    pattern: /\bcatch\s*(\([^)]*\))?\s*\{\s*\}/,
    instead: 'handle the error, or say in a comment inside the block why it does not matter',
    concerns: isScript,
    inComments: true,
  },
];

const SELF = 'test/tidy/banned-words.test.ts';

/** Comments become blank; line numbers stay. */
function withoutComments(text: string): string {
  const blank = (comment: string): string => comment.replaceAll(/[^\n]/g, ' ');
  return text.replaceAll(/(?<=^|\s)\/\*[\s\S]*?\*\//g, blank).replaceAll(/(?<=^|\s)\/\/.*$/gm, blank);
}

/** Where the pattern is found, as `path:line`. */
function placesIn(path: string, { pattern, inComments = false }: Rule): readonly string[] {
  const text = inComments ? read(path) : withoutComments(read(path));
  return [...text.matchAll(new RegExp(pattern, 'g'))].map(
    ({ index }) => `${path}:${text.slice(0, index).split('\n').length}`,
  );
}

describe.each(RULES)('$word', (rule) => {
  const exceptions = Object.keys(rule.except ?? {});

  test('is nowhere it should not be', () => {
    const files = listFiles((path) => path !== SELF && rule.concerns(path) && !exceptions.includes(path));
    expect(files.length).toBeGreaterThan(0);
    expect(
      files.flatMap((path) => placesIn(path, rule)),
      `instead: ${rule.instead}`,
    ).toEqual([]);
  });

  test('has no exception that is not needed any more', () => {
    expect(exceptions.filter((path) => !listFiles().includes(path) || placesIn(path, rule).length === 0)).toEqual([]);
  });
});

test('the lock file names no host, so that every machine uses the registry it is set up for', () => {
  const { packages }: { readonly packages: Readonly<Record<string, { readonly resolved?: string }>> } = JSON.parse(
    read('package-lock.json'),
  );
  const hosts = Object.entries(packages).filter(([, { resolved = '' }]) => /^[a-z+]+:/i.test(resolved));
  const instead = 'instead: `omit-lockfile-registry-resolved=true` in .npmrc, then `npm install`';
  expect(
    hosts.map(([name, { resolved }]) => `${name}: ${resolved}`),
    instead,
  ).toEqual([]);
  expect(read('package-lock.json').match(/registry\.[a-z0-9.-]+/gi) ?? [], instead).toEqual([]);
});
