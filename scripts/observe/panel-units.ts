/** In what a panel's values are written, so that the largest is a number one can read. Pure. */
import { short } from '@fest/cli/html-page/html';

export interface PanelUnit {
  /** Values of Prometheus are divided by it. */
  readonly size: number;
  /** Stands beside each number; empty: a count. */
  readonly name: string;
  /** Beside the title; empty where `name` says it. */
  readonly title: string;
}

const BYTES = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** @param unit Grafana's name of it @param most the largest value that there is */
export function panelUnit(unit: string, most: number): PanelUnit {
  if (unit === 's') return most < 1 ? { size: 0.001, name: 'ms', title: '' } : { size: 1, name: 's', title: '' };
  if (unit === 'percentunit') return { size: 0.01, name: '%', title: '' };
  if (unit === 'bytes' || unit === 'Bps') {
    const [name, size] = BYTES.find(([, each]) => most >= each) ?? ['B', 1];
    return { size, name, title: unit === 'Bps' ? 'a second' : '' };
  }
  if (unit === 'reqps' || unit === 'cps') return { size: 1, name: '', title: 'a second' };
  return { size: 1, name: '', title: '' };
}

/** @param value as it is drawn: divided already */
export function inUnit({ name }: PanelUnit, value: number): string {
  return name === '' ? short(value) : `${short(value)} ${name}`;
}
