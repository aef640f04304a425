import { describe, expect, it } from 'vitest';
import { withOpenReason } from './afterwards.ts';

describe('what else is not proven', () => {
  it('makes a clean audit one that leaves something open', () => {
    expect(withOpenReason({ status: 'clean', reasons: [] }, 'The sale was not read.')).toEqual({
      status: 'unproven',
      reasons: ['The sale was not read.'],
    });
    expect(withOpenReason({ status: 'notRun', reasons: ['Elsewhere.'] }, 'Not read.')).toEqual({
      status: 'notRun',
      reasons: ['Elsewhere.', 'Not read.'],
    });
  });

  it('adds nothing to what an audit has found', () => {
    const found = { status: 'differs' as const, reasons: ['I1: ticket 3 twice.'] };
    expect(withOpenReason(found, 'Not read.')).toEqual(found);
  });
});
