import { describe, expect, it } from 'vitest';
import { goMemory } from './go-memory.ts';

const GIBIBYTE = 1024 ** 3;

describe('memory of k6', () => {
  it('is spent to collect garbage less often, up to half of what the machine has', () => {
    expect(goMemory({}, 4 * GIBIBYTE)).toEqual({ GOGC: '400', GOMEMLIMIT: '2048MiB' });
  });

  it('is what the user says where the user says it', () => {
    expect(goMemory({ GOGC: '50', GOMEMLIMIT: '1GiB' }, 4 * GIBIBYTE)).toEqual({ GOGC: '50', GOMEMLIMIT: '1GiB' });
    expect(goMemory({ GOGC: 'off' }, 4 * GIBIBYTE)).toEqual({ GOGC: 'off', GOMEMLIMIT: '2048MiB' });
  });
});
