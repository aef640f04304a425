/** What only the page of a load test has, beside the look of all pages. */

/** Servers in turns: neighbours differ, and so do those that are next but one. The later ones are shades of the first two. */
export const SERVER_COLOURS: readonly number[] = [1, 5, 8, 9, 10, 11];
const SHADES: Readonly<Record<number, string>> = {
  8: 'color-mix(in srgb, var(--c1) 55%, var(--card))',
  9: 'color-mix(in srgb, var(--c5) 55%, var(--card))',
  10: 'color-mix(in srgb, var(--c1) 60%, var(--ink))',
  11: 'color-mix(in srgb, var(--c5) 60%, var(--ink))',
};
/** What the hypervisor gave to others: nobody here can do anything about it. */
export const HOST_COLOUR = 12;
const OWN_COLOURS = { ...SHADES, [HOST_COLOUR]: 'var(--incident)' };

export const BENCH_STYLE = `
.verdict { border: 1px solid var(--line); border-left: 6px solid var(--limit); background: var(--card); border-radius: 10px; padding: 16px 20px; margin: 0 0 20px; break-inside: avoid; }
.verdict.passed { border-left-color: var(--c5); } .verdict.failed { border-left-color: var(--incident); } .verdict.partial { border-left-color: var(--c2); }
.verdict h2 { margin: 0 0 4px; font-size: 22px; }
.verdict h3 { margin: 12px 0 0; } .verdict p { max-width: none; } .verdict ul { margin: 4px 0; padding-left: 20px; }
.verdict li { overflow-wrap: anywhere; }
.pill.passed { background: var(--s5); } .pill.failed { background: var(--incident); color: var(--incident-ink); }
.bad { color: var(--incident); }
${Object.entries(OWN_COLOURS)
  .map(([name, colour]) => `.stack.c${name} { fill: ${colour}; } .legend i.c${name} { background: ${colour}; }`)
  .join('\n')}
.facts { display: grid; grid-template-columns: 1fr; gap: 0; } .facts thead { display: none; }
@media screen { .dense th, .dense td { padding: 6px 9px; font-size: 13.5px; } .dense tbody th { min-width: 7em; } .dense code { white-space: nowrap; } }
@media screen and (max-width: 620px) { figure { overflow-x: auto; } svg.chart[viewBox^="0 0 960"] { min-width: 700px; } .legend { margin-left: 0; } }
@media print { .dense th, .dense td { padding: 3px 4px; font-size: 7.5pt; } .dense code, .dense .pill { font-size: 7.5pt; } .verdict { padding: 10px 14px; } }
`;
