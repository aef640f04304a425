/** The pages of the alerts and their list say what the rules say. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { ROOT, RUNBOOKS, readAlerts } from './assets.ts';

const pageOf = (name: string): string => readFileSync(join(ROOT, RUNBOOKS, name), 'utf8');

/** With a star for what is filled in: `{{ $labels.sale }}` in a rule, `*sale*` in the list. */
const withStars = (text: string): string => text.replaceAll(/\{\{.*?\}\}|\*\w+\*/g, '*');

test.each(readAlerts().map((rule) => [rule.alert, rule] as const))(
  '%s stands in the list with its severity and its words',
  (name, { labels, annotations }) => {
    const [, severity, words = ''] =
      new RegExp(`\\| \\[${name}\\]\\(${name}\\.md\\) \\| (\\w+) \\| (.*) \\|`).exec(pageOf('README.md')) ?? [];
    expect([severity, withStars(words)]).toEqual([labels?.severity, withStars(annotations?.summary ?? '')]);
  },
);

it('logs are searched by the names of levels, as servers write them', () => {
  const searched = readdirSync(join(ROOT, RUNBOOKS)).flatMap((name) => pageOf(name).match(/"level":.{8}/g) ?? []);
  expect(searched.length).toBeGreaterThan(2);
  expect(searched.filter((each) => !/^"level":"(?:\(?(?:error|fatal))/.test(each))).toEqual([]);
});
