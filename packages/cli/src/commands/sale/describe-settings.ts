/** What was set by an action, in short: `open`; `fixed, 50 a second, 500 places`. */
import type { SaleAction } from '@fest/server/contract/operations';

export function describeSettings(settings: SaleAction['from']): string {
  if (settings === null) return 'not recorded';
  const { phase, epoch, mode, perSecond, maxActive } = settings;
  if (phase !== undefined) return String(phase);
  if (epoch !== undefined) return `epoch ${String(epoch)}`;
  return `${String(mode)}, ${String(perSecond)} a second, ${String(maxActive)} places`;
}
