/** How many cells of a terminal a text takes, and texts that take just so many. */

/** Two cells each: East Asian wide and full-width characters, and emoji that terminals show as pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;
/** Marks that are drawn over the character before. */
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u;
/** Codes that move the cursor, colour what follows or turn the direction of writing: names come from other people. */
const DANGEROUS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** Marks of our own sentences, and of names that word processors have been at. */
const IN_ASCII: Readonly<Record<string, string>> = {
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
  '…': '...',
  '–': '-',
  '—': '-',
  '→': '->',
  '×': 'x',
};
const PLAIN = /^[\x20-\x7e]*$/;

export type Alignment = 'left' | 'right';

/** What may be shown of a text that somebody else wrote. @param ascii only the characters of ASCII */
export function cleanText(text: string, ascii: boolean): string {
  if (PLAIN.test(text)) return text;
  const clean = text.replaceAll(DANGEROUS, ' ');
  return ascii ? clean.replaceAll(/[^\x20-\x7e]/gu, (character) => IN_ASCII[character] ?? '?') : clean;
}

export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Exactly so many cells: cut (with a mark at the end) or filled up with spaces. */
export function fitText(text: string, width: number, align: Alignment = 'left', mark = '…'): string {
  const taken = textWidth(text);
  if (taken > width) return cutText(text, width, mark);
  const space = ' '.repeat(width - taken);
  return align === 'left' ? text + space : space + text;
}

function cutText(text: string, width: number, mark: string): string {
  if (width <= 0) return '';
  let cut = '';
  let taken = 0;
  for (const character of text) {
    const wide = characterWidth(character);
    if (taken + wide > width - 1) break;
    cut += character;
    taken += wide;
  }
  return cut + mark + ' '.repeat(width - 1 - taken);
}

function characterWidth(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
