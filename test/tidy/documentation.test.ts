/** What the documentation names exists, and what has to be documented is. */
import { existsSync, statSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { lexer, type Token, type Tokens, walkTokens } from 'marked';
import { describe, expect, test } from 'vitest';
import { listFiles, ROOT, read } from './repository.ts';

const PAGES = listFiles((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path));

function tokensOf(page: string): readonly Token[] {
  const tokens: Token[] = [];
  walkTokens(lexer(page), (token) => {
    tokens.push(token);
  });
  return tokens;
}

function linksOf(page: string): readonly string[] {
  return tokensOf(page)
    .filter((token): token is Tokens.Link | Tokens.Image => token.type === 'link' || token.type === 'image')
    .map(({ href }) => href);
}

/** The words of a heading or link text without its marks. */
function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens !== undefined ? plainText(token.tokens) : 'text' in token ? token.text : '',
    )
    .join('');
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const token of tokensOf(page)) {
    if (token.type !== 'heading') continue;
    const text = plainText(token.tokens ?? []).toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let [name, count] = [anchor, 0];
    while (anchors.has(name)) name = `${anchor}-${++count}`;
    anchors.add(name);
  }
  return anchors;
}

function faultOf(page: string, link: string): string | undefined {
  const [target = '', anchor] = decodeURI(link).split('#');
  const path = target === '' ? page : normalize(join(dirname(page), target));
  if (path.startsWith('..')) return `${link} leaves the repository`;
  if (!existsSync(join(ROOT, path))) return `${link}: there is no ${path}`;
  if (anchor === undefined || extname(path) !== '.md' || !statSync(join(ROOT, path)).isFile()) return undefined;
  return anchorsOf(read(path)).has(anchor) ? undefined : `${link}: ${path} has no heading #${anchor}`;
}

test.each(PAGES)('the relative links of %s lead somewhere', (page) => {
  const relative = linksOf(read(page)).filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
  expect(relative.map((link) => faultOf(page, link)).filter((fault) => fault !== undefined)).toEqual([]);
});

describe('"Follow one purchase" of docs/architecture.md', () => {
  const [, section = ''] = /^## Follow one purchase$(.*?)^## /ms.exec(read('docs/architecture.md')) ?? [];
  const items = section.split(/^(?=\d+\. )/m).filter((item) => /^\d+\. /.test(item));
  const filesOf = (item: string) => [...item.matchAll(/`(packages\/[^`\s]+)`/g)].map(([, path = '']) => path);

  test('goes through at most ten files, one a step', () => {
    expect(items.length).toBeGreaterThan(0);
    expect(items.length).toBeLessThanOrEqual(10);
    expect(items.filter((item) => filesOf(item).length !== 1)).toEqual([]);
  });

  test('names files that exist', () => {
    const paths = items.flatMap(filesOf);
    expect(paths.filter((path) => !statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile())).toEqual([]);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

describe('docs/configuration.md', () => {
  const documented = new Set(read('docs/configuration.md').match(/\bFEST_[A-Z0-9_]*[A-Z0-9]\b/g));

  test('explains every variable the server reads', () => {
    const variables = [...read('packages/server/src/config.ts').matchAll(/\benv: '(FEST_\w+)'/g)].map(
      ([, name]) => name,
    );
    expect(variables.length).toBeGreaterThan(0);
    expect(variables.filter((name = '') => !documented.has(name))).toEqual([]);
  });

  test('explains no variable that nothing reads', () => {
    const sources = listFiles((path) => /^(packages|test|scripts)\/.*\.tsx?$/.test(path) && !path.includes('/tidy/'));
    const used = new Set(sources.flatMap((path) => read(path).match(/\bFEST_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []));
    expect([...documented].filter((name) => !used.has(name))).toEqual([]);
  });
});
