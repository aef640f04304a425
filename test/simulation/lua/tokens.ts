/** Lua source as tokens. */
import { LuaSyntaxError } from './syntax.ts';

export interface Token {
  readonly kind: 'name' | 'keyword' | 'number' | 'string' | 'symbol' | 'end';
  /** As written; of a string its value. */
  readonly text: string;
  readonly line: number;
}

const KEYWORDS = new Set(
  'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

/** One alternative a kind of token; sticky, so that whatever matches none of them is an error where it stands. */
const TOKEN =
  /(?<skip>\s+|--(?!\[\[).*|#!.*(?=\n))|(?<name>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(?<symbol>\.\.|==|~=|<=|>=|[-+*/%#<>=(){}[\];:,.])/y;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

function unquote(text: string, line: number): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, escaped: string) => {
    const character = ESCAPES[escaped];
    if (character === undefined) throw new LuaSyntaxError(line, `the escape \\${escaped} is not known here`);
    return character;
  });
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>, line: number): Token | undefined {
  const { name, number, string, symbol } = groups;
  if (name !== undefined) return { kind: KEYWORDS.has(name) ? 'keyword' : 'name', text: name, line };
  if (number !== undefined) return { kind: 'number', text: number, line };
  if (string !== undefined) return { kind: 'string', text: unquote(string, line), line };
  return symbol === undefined ? undefined : { kind: 'symbol', text: symbol, line };
}

export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null) throw new LuaSyntaxError(line, `unexpected ${JSON.stringify(source.slice(at, at + 10))}`);
    const token = tokenOf(match.groups ?? {}, line);
    if (token !== undefined) tokens.push(token);
    line += match[0].split('\n').length - 1;
  }
  tokens.push({ kind: 'end', text: 'the end', line });
  return tokens;
}
