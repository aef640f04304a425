/** How a report looks, on screens, light and dark, and on paper. */
const LIGHT = `
  --page: #f6f5f1; --card: #ffffff; --ink: #1d2433; --mute: #667085; --line: #e4e2db; --accent: #0f5f73;
  --c1: #0f7c8f; --c2: #d9772b; --c3: #6b4fbb; --c4: #b23a5e; --c5: #4c8c3f; --c6: #8a7a2f; --c7: #7d8796; --limit: #98a1b0;
  --action: #3557c4; --action-ink: #ffffff; --incident: #b42318; --incident-ink: #ffffff; --gap: #c9c6bc; --warn: #f6c35b;
  --s1: #d5ecef; --s2: #fbe6d3; --s3: #e3dcf6; --s4: #f6d9e1; --s5: #dcedd8; --s6: #eceade; --s0: #eceae4;`;
const DARK = `
  --page: #11151c; --card: #1a202a; --ink: #e8eaee; --mute: #9aa4b4; --line: #2d3643; --accent: #57bfd1;
  --c1: #4fc3d6; --c2: #f0a15e; --c3: #a994ef; --c4: #ee7f9f; --c5: #86c97a; --c6: #d3c26a; --c7: #8b95a5; --limit: #7b8697;
  --action: #8ea7ff; --action-ink: #10142b; --incident: #ff8a7d; --incident-ink: #2b0d0a; --gap: #4a5464; --warn: #a87b1f;
  --s1: #17414a; --s2: #4a3219; --s3: #352b5b; --s4: #4d2432; --s5: #233f20; --s6: #3c381d; --s0: #2b323d;`;

export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 28px 64px; }
header { border-bottom: 3px solid var(--accent); padding-bottom: 20px; margin-bottom: 28px; }
header .festival { color: var(--accent); font-weight: 600; letter-spacing: .02em; margin: 0 0 2px; }
h1 { font-size: 32px; line-height: 1.2; margin: 0 0 10px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 44px 0 4px; letter-spacing: -.005em; }
h3 { font-size: 15px; margin: 0; } h3 small { font-weight: 400; color: var(--mute); font-size: 13px; margin-left: 6px; }
p { margin: 6px 0; max-width: 78ch; }
header p { max-width: none; }
.mute, .note { color: var(--mute); }
.note { font-size: 13.5px; margin: 4px 0 12px; }
.pill { display: inline-block; border-radius: 99px; padding: 1px 11px; font-size: 13px; font-weight: 600; background: var(--s1); color: var(--ink); margin-right: 8px; }
.pill.partial { background: var(--s2); }
.pill.production { background: var(--incident); color: var(--incident-ink); }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 20px 0 8px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-width: 0; }
.card dt { color: var(--mute); font-size: 13px; }
.card dd { margin: 0; font-size: 22px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.card dd small { display: block; font-size: 13px; font-weight: 400; color: var(--mute); }
dl.cards { margin-block: 20px 8px; }
figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 12px 0; padding: 14px 16px 8px; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 18px; align-items: baseline; margin-bottom: 4px; }
.legend { display: inline-flex; flex-wrap: wrap; gap: 2px 14px; color: var(--mute); font-size: 13px; margin-left: auto; }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; background: var(--ink); }
.legend i.c0 { background: repeating-linear-gradient(90deg, var(--limit) 0 4px, transparent 4px 7px); }
svg.chart { display: block; width: 100%; height: auto; font: 11.5px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.grid { stroke: var(--line); } .notch { stroke: var(--mute); }
.tick { fill: var(--mute); }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.area { opacity: .16; stroke: none; }
${[1, 2, 3, 4, 5, 6, 7].map((n) => `.line.c${n} { stroke: var(--c${n}); } .area.c${n} { fill: var(--c${n}); } .stack.c${n} { fill: var(--c${n}); } .legend i.c${n} { background: var(--c${n}); }`).join('\n')}
.line.c0 { stroke: var(--limit); stroke-dasharray: 5 4; stroke-width: 1.4; }
.stack { opacity: .82; stroke: var(--card); stroke-width: .5; }
.gap { fill: var(--gap); opacity: .55; } .incomplete { fill: var(--warn); opacity: .28; }
.mark { stroke-width: 1; stroke-dasharray: 2 3; opacity: .8; } .mark.action { stroke: var(--action); } .mark.incident { stroke: var(--incident); }
.flag rect { fill: var(--action); } .flag text { fill: var(--action-ink); font-size: 10.5px; font-weight: 600; }
.flag.incident rect { fill: var(--incident); } .flag.incident text { fill: var(--incident-ink); }
${[0, 1, 2, 3, 4, 5, 6].map((n) => `.state.s${n} rect { fill: var(--s${n}); }`).join(' ')}
.state text { fill: var(--ink); font-size: 11px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 10px; border-spacing: 0; margin: 12px 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 6px 2px; }
caption span { font-weight: 400; color: var(--mute); font-size: 13.5px; }
th, td { text-align: left; padding: 7px 14px; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
thead th { color: var(--mute); font-size: 13px; font-weight: 600; border-top: 0; }
.number { text-align: right; white-space: nowrap; } .when { white-space: nowrap; }
tbody th { font-weight: 500; }
.tag { display: inline-block; white-space: nowrap; border-radius: 99px; padding: 0 8px; font-size: 12px; font-weight: 600; background: var(--action); color: var(--action-ink); }
.tag.incident { background: var(--incident); color: var(--incident-ink); } .tag.info { background: var(--s0); color: var(--ink); }
.bar { display: block; height: 8px; border-radius: 4px; background: var(--c1); min-width: 2px; } td.bars { width: 34%; vertical-align: middle; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 14px; } .two > figure { margin: 6px 0; }
.two figcaption { display: block; } .two .legend { margin-left: 0; display: flex; }
footer { margin-top: 48px; padding-top: 14px; border-top: 1px solid var(--line); color: var(--mute); font-size: 13px; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 820px) { .cards { grid-template-columns: 1fr 1fr; } .two { grid-template-columns: 1fr; } main { padding: 24px 16px 48px; } }
@media print {
  @page { size: A4; margin: 14mm 13mm; }
  :root { ${LIGHT} --page: #ffffff; color-scheme: light; }
  body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; margin-top: 24px; } tr, .card, figure, caption { break-inside: avoid; } thead { display: table-header-group; }
  .cards { gap: 8px; grid-template-columns: repeat(4, 1fr); } .card { padding: 9px 11px; } .card dd { font-size: 14pt; }
  .two { grid-template-columns: 1fr 1fr; } figure { padding: 10px 12px 4px; } th, td { padding: 4px 9px; }
}
`;
