/** What only the page of a load test has, beside the look of all pages. */
export const BENCH_STYLE = `
.verdict { border: 1px solid var(--line); border-left: 6px solid var(--limit); background: var(--card); border-radius: 10px; padding: 16px 20px; margin: 0 0 20px; break-inside: avoid; }
.verdict.passed { border-left-color: var(--c5); } .verdict.failed { border-left-color: var(--incident); } .verdict.partial { border-left-color: var(--c2); }
.verdict h2 { margin: 0 0 4px; font-size: 22px; }
.verdict h3 { margin: 12px 0 0; } .verdict p { max-width: none; } .verdict ul { margin: 4px 0; padding-left: 20px; }
.verdict li { overflow-wrap: anywhere; }
.pill.passed { background: var(--s5); } .pill.failed { background: var(--incident); color: var(--incident-ink); }
.bad { color: var(--incident); }
.facts { display: grid; grid-template-columns: 1fr; gap: 0; }
@media screen { .dense th, .dense td { padding: 6px 9px; font-size: 13.5px; } }
@media print { .dense th, .dense td { padding: 3px 4px; font-size: 7.5pt; } .dense code, .dense .pill { font-size: 7.5pt; } .verdict { padding: 10px 14px; } }
`;
