/** A framed box over a screen. */
import { fitText, textWidth } from './cells.ts';
import { fitLine, type Line, lineWidth, type Span, span } from './line.ts';
import type { Theme } from './theme.ts';

/** Lines with a frame and a title around them. */
export function boxLines(title: string, content: readonly Line[], width: number, theme: Theme): Line[] {
  const [topLeft, topRight, bottomLeft, bottomRight] = theme.corners;
  const inner = width - 4;
  const name = fitText(` ${title} `, Math.min(textWidth(title) + 2, inner), 'left', theme.cut);
  const rule = theme.rule.repeat(Math.max(0, width - 3 - textWidth(name)));
  return [
    [span(`${topLeft}${theme.rule}`), span(name, 'bold'), span(`${rule}${topRight}`)],
    ...content.map(
      (line): Line => [span(`${theme.side} `), ...fitLine(line, inner, 'plain', theme.cut), span(` ${theme.side}`)],
    ),
    [span(`${bottomLeft}${theme.rule.repeat(width - 2)}${bottomRight}`)],
  ];
}

/** Puts a box in the middle of a screen. */
export function overlay(screen: readonly Line[], box: readonly Line[]): Line[] {
  const boxWidth = Math.max(...box.map(lineWidth));
  const top = Math.max(0, Math.floor((screen.length - box.length) / 2));
  return screen.map((line, row) => {
    const part = box[row - top];
    if (part === undefined || row < top) return line;
    const width = lineWidth(line);
    const left = Math.max(0, Math.floor((width - boxWidth) / 2));
    return [...cells(line, 0, left), ...part, ...cells(line, left + boxWidth, width)];
  });
}

/** The cells from one column to another; a wide character that is cut through becomes a space. */
function cells(line: Line, from: number, to: number): Span[] {
  const result: Span[] = [];
  let at = 0;
  for (const { text, style } of line) {
    let kept = '';
    for (const character of text) {
      const wide = textWidth(character);
      const isInside = at >= from && at + wide <= to;
      const isCut = !isInside && at < to && at + wide > from;
      if (isInside) kept += character;
      else if (isCut) kept += ' '.repeat(Math.min(to, at + wide) - Math.max(from, at));
      at += wide;
    }
    if (kept !== '') result.push(span(kept, style));
  }
  return result;
}

/** Words in lines of at most so many cells. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
