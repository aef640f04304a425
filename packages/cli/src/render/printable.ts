/** What names of buyers, titles and the like may do to a terminal, a spreadsheet or whoever reads a list: nothing. */

/** Control characters, line separators, and those that turn the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text without what would move a cursor, ring a bell, begin a line or turn the direction of what follows. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}

/** One line of JSON in which those characters are escaped: the same value to a parser. */
export function jsonLine(value: object): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value).replace(UNPRINTABLE, escaped)}\n`;
}

/** What a spreadsheet takes for the beginning of a formula, also in the width of East Asian scripts. */
const FORMULA = /^[=+\-@＝＋－＠]/u;

/** A record of a CSV file (RFC 4180). Every record is one line; texts that a spreadsheet would run get an apostrophe in front. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: string | number | null): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const text = printable(cell);
  const harmless = FORMULA.test(text.trimStart()) ? `'${text}` : text;
  return /[",]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** The cells of one line of such a file; undefined for what `csvLine` did not write. */
export function parseCsvLine(line: string): readonly string[] | undefined {
  const cells: string[] = [];
  let rest = line;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/.exec(rest);
    if (match === null) return undefined;
    cells.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
    if (match[3] === '') return cells;
    rest = rest.slice(match[0].length);
  }
}
