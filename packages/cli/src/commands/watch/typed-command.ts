/** What can be typed after `:`. Parsed here, carried out elsewhere. */
import { WAITING_ROOM_LIMITS } from '@fest/server/limits/waiting-room';

export type Change =
  | { readonly kind: 'pause' | 'resume' | 'close' }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'maxActive'; readonly maxActive: number };

export type TypedCommand =
  | { readonly kind: 'quit' }
  | { readonly kind: 'help' }
  | { readonly kind: 'change'; readonly change: Change };

export type Parsed =
  | { readonly status: 'ok'; readonly command: TypedCommand }
  | { readonly status: 'wrong'; readonly why: string };

/** For the help, in the order an operator reads them. */
export const TYPED_COMMANDS: readonly { readonly form: string; readonly does: string }[] = [
  { form: ':pause', does: 'pause the selected sale' },
  { form: ':resume', does: 'go on after a pause' },
  { form: ':rate N', does: 'admit at most N buyers a second' },
  { form: ':max-active N', does: 'let at most N buyers be inside at once' },
  { form: ':close', does: 'end the selected sale for good' },
  { form: ':quit', does: 'leave' },
];

export function parseTypedCommand(text: string): Parsed {
  const [name = '', ...rest] = text.trim().split(/\s+/);
  switch (name) {
    case 'q':
    case 'quit':
      return withoutArgument(name, rest, { kind: 'quit' });
    case 'help':
      return withoutArgument(name, rest, { kind: 'help' });
    case 'pause':
    case 'resume':
    case 'close':
      return withoutArgument(name, rest, { kind: 'change', change: { kind: name } });
    case 'rate':
      return withNumber(name, rest, { min: 0, max: WAITING_ROOM_LIMITS.perSecondMax }, (perSecond) => ({
        kind: 'rate',
        perSecond,
      }));
    case 'max-active':
      return withNumber(name, rest, { min: 1, max: WAITING_ROOM_LIMITS.maxActiveMax }, (maxActive) => ({
        kind: 'maxActive',
        maxActive,
      }));
    default:
      return wrong(`there is no “${name}”; there are ${TYPED_COMMANDS.map(({ form }) => form.slice(1)).join(', ')}`);
  }
}

function withoutArgument(name: string, rest: readonly string[], command: TypedCommand): Parsed {
  if (rest.length > 0) return wrong(`${name} takes nothing behind it; it is about the selected sale`);
  return { status: 'ok', command };
}

function withNumber(
  name: string,
  rest: readonly string[],
  { min, max }: { readonly min: number; readonly max: number },
  change: (value: number) => Change,
): Parsed {
  const [text = ''] = rest;
  const value = Number(text);
  if (rest.length !== 1 || !/^\d+$/.test(text) || value < min || value > max) {
    return wrong(`${name} takes one whole number from ${min} to ${max}`);
  }
  return { status: 'ok', command: { kind: 'change', change: change(value) } };
}

function wrong(why: string): Parsed {
  return { status: 'wrong', why };
}
