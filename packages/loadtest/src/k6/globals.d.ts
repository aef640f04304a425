/** What k6 has besides what its types declare. */
declare const console: Readonly<Record<'log' | 'info' | 'warn' | 'error', (message: string) => void>>;
