/** Every problem code has a page that says what the code says. */
import { PROBLEMS, type ProblemCode, problemType } from '@fest/server/contract/problems';
import { ProblemBody } from '@fest/server/contract/schemas';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { listFiles, read } from './repository.ts';

const FOLDER = 'docs/problems/';
const CODES = Object.keys(PROBLEMS) as ProblemCode[];
const SECTIONS = ['When it happens', 'What to do', 'Example'];

function exampleOf(page: string): unknown {
  const [, json = 'null'] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  return JSON.parse(json);
}

test('every problem code has a page, and every page a code', () => {
  const pages = listFiles((path) => path.startsWith(FOLDER) && !path.endsWith('/README.md'));
  expect(pages, `write ${FOLDER}<code>.md, or remove the page of a code that is gone`).toEqual(
    CODES.map((code) => `${FOLDER}${code}.md`).sort(),
  );
});

test('the table of problem codes lists what the contract lists', () => {
  const rows = CODES.map((code) => `| [${code}](${code}.md) | ${PROBLEMS[code].status} | ${PROBLEMS[code].title} |`);
  expect(read(`${FOLDER}README.md`).match(/^\| \[.*$/gm)).toEqual(rows);
});

describe.each(CODES)('the page of %s', (code) => {
  const page = () => read(`${FOLDER}${code}.md`);

  test('begins with code, status and title', () => {
    const { status, title } = PROBLEMS[code];
    expect(page().startsWith(`# ${code}\n\n**${status}** · ${title}.\n`)).toBe(true);
  });

  test('says when it happens, what to do and what it looks like', () => {
    const headings = page().match(/(?<=^## ).*$/gm) ?? [];
    expect(headings.filter((heading) => heading !== 'For operators')).toEqual(SECTIONS);
  });

  test('shows a body that a server could send', () => {
    const body = exampleOf(page());
    expect(Value.Check(ProblemBody, body)).toBe(true);
    const { status, title } = PROBLEMS[code];
    expect(body).toMatchObject({ type: problemType(code), title, status, code });
  });

  test('has no relative links, because servers show it under a path of its own', () => {
    expect(page()).not.toMatch(/\]\((?!https?:)/);
  });
});
