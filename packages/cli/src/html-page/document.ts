/** One HTML file that needs nothing else: no network, no scripts, and it forbids itself both. Pure. */
import { escaped } from './html.ts';
import { STYLE } from './style.ts';

export interface PageParts {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** CSS beside that of every page. */
  readonly style?: string;
}

export function renderDocument({ title, body, style = '' }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}
