import type { Finding } from '@fest/server/audit/finding';
import { describe, expect, it } from 'vitest';
import { type AuditReport, renderReport } from './report.ts';

type AuditedSale = AuditReport['sales'][number];

const read = { state: 'read' } as const;
const NOTHING: NonNullable<AuditedSale['counts']> = {
  gateway: { captured: 0, refunded: 0 },
  log: { orders: 0, cancelled: 0, tickets: 0, sold: 0, open: 0, ended: 0 },
  mysql: { orders: 0, cancelled: 0, tickets: 0, sold: 0, payments: 0 },
  redis: { available: 100, held: 0, sold: 0, promises: 0 },
};

function saleOf(saleId: number, changes: Partial<AuditedSale> = {}): AuditedSale {
  const none = { findings: [], unproven: [], notes: [] };
  return { saleId, name: `Day ${saleId}`, capacity: 100, counts: NOTHING, ...none, ...changes };
}

function render(changes: Partial<AuditReport>, passwordsIn?: string): string {
  const sources = { redis: read, mysql: read, gateway: read, logs: [] };
  const clean: AuditReport = {
    verdict: 'clean',
    elapsedMs: 1_234,
    sources,
    findings: [],
    unproven: [],
    sales: [saleOf(1)],
  };
  return renderReport({ ...clean, ...changes }, { colour: false, passwordsIn });
}

const replay = { command: 'fest log replay --repair', remedy: 'Put the rows right: fest log replay --repair' };
const rebuild = { command: 'fest sale rebuild 1', remedy: 'Build it anew: fest sale rebuild 1' };

describe('the report of an audit', () => {
  it('tells each way to mend once, with its command on a line of its own', () => {
    const findings: Finding[] = [
      { invariant: 'I2', message: 'One.', ...rebuild },
      { invariant: 'I8', message: 'Two.', ...replay },
      { invariant: 'I5', message: 'Three.', ...rebuild },
      { invariant: 'I5', message: '… and 7 more like this.', more: 7, ...rebuild },
    ];
    const text = render({ verdict: 'differs', sales: [saleOf(1, { findings })] });
    expect(text).toContain(
      [
        'I2    One.',
        'I5    Three.',
        'I5    … and 7 more like this.',
        '      → Build it anew:',
        '        fest sale rebuild 1',
        'I8    Two.',
        '      → Put the rows right:',
        '        fest log replay --repair',
      ].join('\n'),
    );
    expect(text).toMatch(/^10 differences {2}1 sale with 0 orders in 1\.2 s\.$/m);
  });

  it('takes one line for sales that are right where others are not, and for those of which nothing was sold', () => {
    const finding: Finding = { invariant: 'I8', message: 'Wrong.', ...replay };
    const sold = { ...NOTHING, log: { ...NOTHING.log, orders: 1 } };
    const sales = [saleOf(1, { findings: [finding] }), saleOf(2, { counts: sold }), saleOf(3)];
    expect(render({ verdict: 'differs', sales })).toContain(
      'sale 2 “Day 2”, 100 tickets: nothing differs\nsale 3 “Day 3”, 100 tickets: nothing sold\n',
    );
    const clean = render({ sales: [saleOf(2, { counts: sold }), saleOf(3)] });
    expect(clean).toMatch(/^sale 2 “Day 2”, 100 tickets\n +PAYMENTS/m);
    expect(clean).toContain('sale 3 “Day 3”, 100 tickets: nothing sold\n');
    const counts = { ...NOTHING, mysql: null };
    const partly = render({ sales: [saleOf(1, { counts: sold }), saleOf(3, { capacity: 0, name: null, counts })] });
    expect(partly).toContain('sale 3: nothing sold, as far as was read\n');
  });

  it('says where the passwords are, only when a command asks for one', () => {
    const command = "redis-cli -h r -p 1 --askpass DEL 'x'";
    const finding: Finding = { invariant: 'I3', message: 'Wrong.', remedy: `Forget it: ${command}`, command };
    const differs = { verdict: 'differs', sales: [saleOf(1, { findings: [finding] })] } as const;
    expect(render(differs, '/srv/.fest/local.json')).toContain(
      'Passwords for redis-cli and mysql: /srv/.fest/local.json',
    );
    expect(render(differs)).not.toContain('Passwords');
    const other = { verdict: 'differs', sales: [saleOf(1, { findings: [{ ...finding, ...rebuild }] })] } as const;
    expect(render(other, '/srv/.fest/local.json')).not.toContain('Passwords');
  });

  it('does not let a clean audit of nothing look like proof', () => {
    expect(render({ sales: [] })).toBe('clean  there is no sale yet, so there was nothing to compare.\n');
  });
});
