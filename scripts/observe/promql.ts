/** What an expression of PromQL asks for: its selectors, and the labels it groups and joins by. Not a parser of the language. Pure. */

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Asked {
  readonly selectors: readonly Selector[];
  /** Of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  readonly labels: readonly string[];
  /** Of `by` alone. */
  readonly by: readonly string[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[a-zA-Z_:$][\w:$]*|\d[\w.]*|=~|!~|!=|==|<=|>=|\S/g;
const NAME = /^[a-zA-Z_:][\w:]*$/;
const LABELLED = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan']);
const AGGREGATIONS = new Set('sum min max avg count group stddev stdvar topk bottomk count_values quantile'.split(' '));

export function askedBy(expression: string): Asked {
  const tokens: readonly string[] = expression.match(TOKEN) ?? [];
  const [selectors, labels, by]: [Selector[], string[], string[]] = [[], [], []];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    const next = tokens[at + 1];
    // What stands in brackets is a duration, and a number is none of it.
    if (!NAME.test(token) || tokens[at - 1] === '[' || WORDS.has(token) || AGGREGATIONS.has(token)) continue;
    if (LABELLED.has(token) && next === '(') {
      const end = tokens.indexOf(')', at);
      const names = tokens.slice(at + 2, end).filter((each) => each !== ',');
      labels.push(...names);
      if (token === 'by') by.push(...names);
      at = end;
    } else if (next === '{') {
      const end = tokens.indexOf('}', at);
      selectors.push({ metric: token, matchers: matchersOf(tokens.slice(at + 2, end)) });
      at = end;
    } else if (next !== '(') selectors.push({ metric: token, matchers: [] });
  }
  return { selectors, labels, by };
}

function matchersOf(tokens: readonly string[]): readonly Matcher[] {
  const matchers: Matcher[] = [];
  for (let at = 0; at + 2 < tokens.length; at += 4) {
    const [label = '', operator = '', value = ''] = tokens.slice(at, at + 3);
    matchers.push({ label, operator: operator as Matcher['operator'], value: JSON.parse(value) as string });
  }
  return matchers;
}
