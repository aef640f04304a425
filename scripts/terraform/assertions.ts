/** What is written in a Terraform test file: which runs, with how many assertions and expected refusals. */

export interface TestRun {
  readonly name: string;
  /** `assert` blocks. */
  readonly assertions: number;
  /** Objects in `expect_failures`. */
  readonly refusals: number;
}

/** Index behind a quoted text that begins at `start`; templates in it may have quotes of their own. */
function endOfText(source: string, start: number): number {
  let index = start + 1;
  while (index < source.length && source[index] !== '"') {
    if (source[index] === '\\') index += 2;
    else if (/^[$%]\{/.test(source.slice(index, index + 2)) && source[index - 1] !== source[index])
      index = endOfBlock(source, index + 1);
    else index += 1;
  }
  return index + 1;
}

/** Index behind what is a comment or a quoted text at `index`; undefined when neither begins there. */
function endOfQuiet(source: string, index: number): number | undefined {
  if (source[index] === '"') return endOfText(source, index);
  if (source[index] !== '#' && source.slice(index, index + 2) !== '//') return undefined;
  const end = source.indexOf('\n', index);
  return end < 0 ? source.length : end;
}

/** Index behind the bracket that closes the one at `start`. */
function endOfBlock(source: string, start: number): number {
  let depth = 0;
  let index = start;
  while (index < source.length) {
    const quiet = endOfQuiet(source, index);
    if (quiet !== undefined) {
      index = quiet;
      continue;
    }
    if ('{[('.includes(source[index] ?? ' ')) depth += 1;
    if ('}])'.includes(source[index] ?? ' ')) depth -= 1;
    index += 1;
    if (depth === 0) return index;
  }
  throw new Error('a block is not closed');
}

/** The source with blanks for comments and quoted texts; indexes stay. */
function withoutTexts(source: string): string {
  let result = '';
  let index = 0;
  while (index < source.length) {
    const end = endOfQuiet(source, index) ?? index + 1;
    result += end > index + 1 ? ' '.repeat(end - index) : source[index];
    index = end;
  }
  return result;
}

/** @throws {Error} when a block is not closed */
export function parseTestRuns(source: string): readonly TestRun[] {
  const runs: TestRun[] = [];
  for (const match of source.matchAll(/^run "([^"]+)" /gm)) {
    const start = match.index + match[0].length;
    const block = withoutTexts(source.slice(start, endOfBlock(source, start)));
    const [, expected = ''] = /\bexpect_failures\s*=\s*\[([^\]]*)\]/.exec(block) ?? [];
    runs.push({
      name: match[1] ?? '',
      assertions: [...block.matchAll(/\bassert\s*\{/g)].length,
      refusals: expected.split(',').filter((item) => item.trim() !== '').length,
    });
  }
  return runs;
}
