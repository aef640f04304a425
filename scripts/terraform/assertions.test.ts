import { expect, test } from 'vitest';
import { parseTestRuns } from './assertions.ts';

test('assertions and refusals are counted by run', () => {
  const source = `
mock_provider "aws" {}

run "one" {
  command = plan

  assert {
    condition     = x == { a = [1] }
    error_message = "an assert { in a text is none"
  }
  # assert { in a comment neither
  assert {
    condition     = "\${var.name}-\${y["}"]}" == "{"
    error_message = "and \\"quotes\\" do not end a text"
  }
}

run "two" {
  expect_failures = [var.a, var.b,
    var.c]
}

run "three" {}
`;
  expect(parseTestRuns(source)).toEqual([
    { name: 'one', assertions: 2, refusals: 0 },
    { name: 'two', assertions: 0, refusals: 3 },
    { name: 'three', assertions: 0, refusals: 0 },
  ]);
});

test('a block that is not closed is not counted as one', () => {
  expect(() => parseTestRuns('run "one" {\n  assert {\n')).toThrow('not closed');
});
