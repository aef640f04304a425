/** One name for a key, however a terminal and ink spell it: the characters that were typed, or a word in `<…>`. */
import type { Key } from 'ink';

const NAMED = [
  ['return', '<enter>'],
  ['escape', '<esc>'],
  ['tab', '<tab>'],
  ['backspace', '<backspace>'],
  ['delete', '<backspace>'],
  ['upArrow', '<up>'],
  ['downArrow', '<down>'],
  ['leftArrow', '<left>'],
  ['rightArrow', '<right>'],
  ['pageUp', '<pageup>'],
  ['pageDown', '<pagedown>'],
  ['home', '<home>'],
  ['end', '<end>'],
] as const satisfies readonly (readonly [keyof Key, string])[];

/**
 * What was pressed: `q`, `<up>`, `<ctrl+c>`, or several characters when they came at once (a paste, or a slow connection).
 * Empty for keys nobody uses.
 */
export function keyName(input: string, key: Key): string {
  const named = NAMED.find(([flag]) => key[flag] === true)?.[1];
  if (named !== undefined) return named === '<tab>' && key.shift ? '<shift+tab>' : named;
  if (key.meta) return '';
  return key.ctrl ? `<ctrl+${input}>` : input;
}

/** Whether a name stands for characters that were typed. */
export function isTyped(name: string): boolean {
  return name !== '' && !/^<.+>$/.test(name);
}
