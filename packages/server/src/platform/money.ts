/** An amount in minor units as people write it: `4950 EUR` is `49.50 EUR`. */
export function formatMoney(minorUnits: number, currency: string): string {
  const digits = fractionDigits(currency);
  return `${(minorUnits / 10 ** digits).toFixed(digits)} ${currency}`;
}

function fractionDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}
