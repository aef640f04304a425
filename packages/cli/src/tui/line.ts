/** Lines of a screen: pieces of text with a style. Painted at the very end, so that everything before can be read and compared. */
import { fitText, textWidth } from './cells.ts';

export type TextStyle = 'plain' | 'bold' | 'dim' | 'good' | 'warning' | 'bad' | 'selected' | 'bar' | 'alarm';

export interface Span {
  readonly text: string;
  readonly style: TextStyle;
}

export type Line = readonly Span[];

/** The codes that begin and end a style; those without colour stand for NO_COLOR as well. */
const CODES: Readonly<Record<TextStyle, { readonly colour: string; readonly plain: string }>> = {
  plain: { colour: '', plain: '' },
  bold: { colour: '1', plain: '1' },
  dim: { colour: '2', plain: '2' },
  good: { colour: '32', plain: '' },
  warning: { colour: '33;1', plain: '1' },
  bad: { colour: '31;1', plain: '1' },
  selected: { colour: '7', plain: '7' },
  bar: { colour: '7', plain: '7' },
  alarm: { colour: '97;41;1', plain: '7;1' },
};

export function span(text: string, style: TextStyle = 'plain'): Span {
  return { text, style };
}

export function plainText(line: Line): string {
  return line.map(({ text }) => text).join('');
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + textWidth(text), 0);
}

/** Exactly so many cells. @param fill style of what is filled up */
export function fitLine(line: Line, width: number, fill: TextStyle = 'plain', mark = '…'): Line {
  const fitted: Span[] = [];
  let left = width;
  for (const [index, part] of line.entries()) {
    const wide = textWidth(part.text);
    const isLast = index === line.length - 1;
    if (wide > left || (wide === left && !isLast && lineWidth(line.slice(index + 1)) > 0)) {
      if (left > 0) fitted.push(span(fitText(`${part.text}  `, left, 'left', mark), part.style));
      return fitted;
    }
    fitted.push(part);
    left -= wide;
  }
  return left > 0 ? [...fitted, span(' '.repeat(left), fill)] : fitted;
}

/** Two ends of a line; the left one is cut when there is no space for both. */
export function spread(left: Line, right: Line, width: number, fill: TextStyle = 'plain', mark = '…'): Line {
  const room = width - lineWidth(right);
  return room <= 0 ? fitLine(right, width, fill, mark) : [...fitLine(left, room, fill, mark), ...right];
}

export interface Block {
  readonly lines: readonly Line[];
  readonly width: number;
}

/** Blocks of lines beside each other, each as wide as said; shorter ones are filled up. */
export function beside(blocks: readonly Block[], mark = '…'): Line[] {
  const height = Math.max(0, ...blocks.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    blocks.flatMap(({ lines, width }) => fitLine(lines[row] ?? [], width, 'plain', mark)),
  );
}

/** All of it grey: what it says is not what is. */
export function greyed(lines: readonly Line[]): Line[] {
  return lines.map((line) => line.map(({ text }) => span(text, 'dim')));
}

/** With escape codes. @param colour false under NO_COLOR: weight and reversal stay, they are no colours */
export function paintLine(line: Line, colour: boolean): string {
  return line
    .map(({ text, style }) => {
      const code = colour ? CODES[style].colour : CODES[style].plain;
      return code === '' || text === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
    })
    .join('');
}
