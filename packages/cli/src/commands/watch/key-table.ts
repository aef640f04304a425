/** Every key and what it does. The help is made from this table, so that it cannot tell anything else. */

export type KeyAction =
  | 'help'
  | 'quit'
  | 'nextPane'
  | 'previousPane'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'first'
  | 'last'
  | 'pageUp'
  | 'pageDown'
  | 'enter'
  | 'escape'
  | 'filter'
  | 'freeze'
  | 'traffic'
  | 'longerWindow'
  | 'shorterWindow'
  | 'reverse'
  | 'command';

export interface KeyBinding {
  readonly action: KeyAction;
  readonly keys: readonly string[];
  /** As it stands in the help. */
  readonly shown: string;
  readonly does: string;
  /** Key and word for the bottom line; absent where there is no space for it. */
  readonly hint?: string;
}

export const KEY_TABLE: readonly KeyBinding[] = [
  { action: 'help', keys: ['?'], shown: '?', does: 'this help', hint: '? help' },
  { action: 'quit', keys: ['q', '<ctrl+c>'], shown: 'q, Ctrl-C', does: 'leave', hint: 'q quit' },
  {
    action: 'nextPane',
    keys: ['<tab>'],
    shown: 'tab',
    does: 'go to the next list: sales, processes, events',
    hint: 'tab list',
  },
  { action: 'previousPane', keys: ['<shift+tab>'], shown: 'shift-tab', does: 'go to the list before' },
  { action: 'up', keys: ['<up>', 'k'], shown: 'up, k', does: 'one row up' },
  { action: 'down', keys: ['<down>', 'j'], shown: 'down, j', does: 'one row down' },
  { action: 'left', keys: ['<left>', 'h'], shown: 'left, h', does: 'sort the sales by the column before' },
  {
    action: 'right',
    keys: ['<right>', 'l'],
    shown: 'right, l',
    does: 'sort the sales by the next column',
  },
  { action: 'reverse', keys: ['r'], shown: 'r', does: 'sort the other way round' },
  { action: 'first', keys: ['<home>', 'g'], shown: 'home, g', does: 'to the first row' },
  { action: 'last', keys: ['<end>', 'G'], shown: 'end, G', does: 'to the last row' },
  { action: 'pageUp', keys: ['<pageup>', '<ctrl+u>'], shown: 'page up', does: 'ten rows up' },
  { action: 'pageDown', keys: ['<pagedown>', '<ctrl+d>'], shown: 'page down', does: 'ten rows down' },
  { action: 'enter', keys: ['<enter>'], shown: 'enter', does: 'all about the selected sale', hint: 'enter sale' },
  { action: 'escape', keys: ['<esc>'], shown: 'esc', does: 'close what is open; then take the filter away' },
  {
    action: 'filter',
    keys: ['/'],
    shown: '/',
    does: 'show only sales with a text in id, name, festival or phase',
    hint: '/ filter',
  },
  {
    action: 'traffic',
    keys: ['t'],
    shown: 't',
    does: 'latencies by class of requests, refusals by code',
    hint: 't traffic',
  },
  { action: 'freeze', keys: ['p'], shown: 'p', does: 'hold the picture still, and let it go on', hint: 'p hold' },
  { action: 'longerWindow', keys: ['+', '='], shown: '+', does: 'charts of a longer time: 1, 5, 15 min' },
  { action: 'shorterWindow', keys: ['-'], shown: '-', does: 'charts of a shorter time' },
  { action: 'command', keys: [':'], shown: ':', does: 'type a command, see below', hint: ': command' },
];

const ACTIONS = new Map(KEY_TABLE.flatMap(({ action, keys }) => keys.map((key) => [key, action] as const)));

export function actionOf(key: string): KeyAction | undefined {
  return ACTIONS.get(key);
}
