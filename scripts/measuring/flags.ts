/** Kinds of flags. Each knows how its text is read, what is wrong with one, and how help tells of it. Pure. */

/** What a text means, or a sentence that says what to write instead. */
export type Read<Value> = { readonly value: Value } | { readonly fault: string };

export interface Flag<Value> {
  /** Without the dashes; absent: the option's own name, `blockMs` as `block-ms`. */
  readonly name?: string;
  /** What stands in help for the value. */
  readonly placeholder: string;
  readonly help: string;
  /** The value when the flag is not given. */
  readonly fallback: Value;
  /** What help says in brackets at the end. */
  readonly remark?: string;
  /** `flag` is what the user has written, dashes and all. */
  read(text: string, flag: string): Read<Value>;
  /** As `read` takes it; absent: the flag says where results go, and is no part of the command that repeats a run. */
  write?(value: Value): string;
}

interface Described {
  readonly name?: string;
  readonly help: string;
}

export interface WholeNumber extends Described {
  readonly placeholder: string;
  readonly fallback: number;
  /** Smallest and largest value. */
  readonly limits: readonly [number, number];
  /** Instead of the number, where that says little. */
  readonly fallbackSaid?: string;
}

export function wholeNumber({ limits: [least, most], fallbackSaid, ...rest }: WholeNumber): Flag<number> {
  return {
    ...rest,
    remark: fallbackSaid === undefined ? `default ${rest.fallback}` : `default: ${fallbackSaid}`,
    read(text, flag) {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= least && value <= most) return { value };
      return { fault: `${flag} must be a whole number from ${least} to ${most}, not "${text}".` };
    },
    write: String,
  };
}

export interface OneOf<Word extends string> extends Described {
  readonly words: readonly Word[];
  readonly fallback: Word;
}

export function oneOf<Word extends string>({ words, ...rest }: OneOf<Word>): Flag<Word> {
  return {
    ...rest,
    placeholder: words.join('|'),
    remark: `default ${rest.fallback}`,
    read(text, flag) {
      const value = words.find((word) => word === text);
      if (value !== undefined) return { value };
      return { fault: `${flag} must be one of ${words.join(', ')}, not "${text}".` };
    },
    write: String,
  };
}

export interface SomeOf<Word extends string> extends Described {
  readonly placeholder: string;
  readonly words: readonly Word[];
}

/** Some of the words with commas between them, in their own order, each once; all of them when the flag is not given. */
export function someOf<Word extends string>({ words, ...rest }: SomeOf<Word>): Flag<readonly Word[]> {
  return {
    ...rest,
    fallback: words,
    read(text, flag) {
      const asked = text.split(',').map((word) => word.trim());
      const unknown = asked.filter((word) => !words.some((known) => known === word));
      if (unknown.length === 0) return { value: words.filter((word) => asked.includes(word)) };
      const fault = unknown.map((word) => `${flag}: there is no "${word}"; take of ${words.join(', ')}.`).join('\n');
      return { fault };
    },
    write: (asked) => asked.join(','),
  };
}

export interface Numbers extends Described {
  readonly placeholder: string;
  readonly fallback: readonly number[];
  /** Of each; none is 0 or less. */
  readonly most: number;
}

/** Numbers with commas between them. */
export function numbers({ most, ...rest }: Numbers): Flag<readonly number[]> {
  return {
    ...rest,
    remark: `default ${rest.fallback.join(',')}; at most ${most}`,
    read(text, flag) {
      const value = text.split(',').map(Number);
      if (value.every((each) => each > 0 && each <= most)) return { value };
      return { fault: `${flag} must be numbers up to ${most} with commas between them, not "${text}".` };
    },
    write: (value) => value.join(','),
  };
}

function path(placeholder: string, help: string): Flag<string | undefined> {
  return { placeholder, help, fallback: undefined, read: (value) => ({ value }) };
}

/** Where something is written; undefined: nowhere. */
export const file = (help: string): Flag<string | undefined> => path('FILE', help);
/** A directory that is written into. */
export const directory = (help: string): Flag<string | undefined> => path('DIR', help);

/** Where the stack's temporary folder is made; undefined: the first of the usual places that is on a disk. */
export const DIRECTORY = path('DIR', 'on the disk to measure: the order log is in a temporary folder in it');
