/** What has to hold of infra/terraform as text, with or without a Terraform that could check the rest. */
import { parseConfigFile } from '@fest/cli/settings';
import { describe, expect, test } from 'vitest';
import { parseTestRuns } from '../../scripts/terraform/assertions.ts';
import { renderTemplate } from '../../scripts/terraform/machine.ts';
import { listFiles, read } from './repository.ts';

const ROOT = 'infra/terraform';
const FILES = listFiles((path) => path.startsWith(`${ROOT}/`));
const CONFIGURATIONS = FILES.filter((path) => path.endsWith('/versions.tf')).map((path) =>
  path.replace('/versions.tf', ''),
);

/** Top-level blocks of a kind, with their label or labels and their text. */
function blocksOf(path: string, kind: string): readonly { readonly name: string; readonly text: string }[] {
  const blocks = [...read(path).matchAll(new RegExp(`^${kind} ((?:"[^"]+" )+)\\{$(.*?)^\\}$`, 'gms'))];
  return blocks.map(([, labels = '', text = '']) => ({ name: labels.replaceAll('"', '').trim(), text }));
}

test.each(CONFIGURATIONS)('%s describes each variable and output, and has tests', (configuration) => {
  const variables = blocksOf(`${configuration}/variables.tf`, 'variable');
  const outputs = blocksOf(`${configuration}/outputs.tf`, 'output');
  expect(variables.length).toBeGreaterThan(0);
  expect(outputs.length).toBeGreaterThan(0);
  const bare = [...variables, ...outputs].filter(({ text }) => !/^ {2}description\s+= ".{10,}"$/m.test(text));
  expect(bare.map(({ name }) => name)).toEqual([]);
  expect(FILES.some((path) => path.startsWith(`${configuration}/tests/`))).toBe(true);
});

/** What another module hands over as it is, of which nothing can be said without asking AWS. */
const HANDED_OVER = [
  'vpc_id',
  'security_group_id',
  'security_group_ids',
  'instance_profile_name',
  'roll_role_arn',
  'target_group_arn',
  'notification_topic_arn',
  'log_group_name',
  'log_group_arns',
  'metric_namespace',
  'gateway_file_system_arn',
  'secret_arns',
  'stores',
  'load_balancer',
  'mysql_identifier',
  'redis_node_ids',
  'region',
  'server_port',
];

test.each(CONFIGURATIONS)(
  '%s validates each variable that somebody types, and each validation has a test that breaks it',
  (configuration) => {
    const variables = blocksOf(`${configuration}/variables.tf`, 'variable');
    const unchecked = variables.filter(
      ({ name, text }) =>
        !/^ {2}validation \{$/m.test(text) && !/^ {2}type\s+= bool$/m.test(text) && !HANDED_OVER.includes(name),
    );
    expect(unchecked.map(({ name }) => name)).toEqual([]);
    const tests = FILES.filter((path) => path.startsWith(`${configuration}/tests/`))
      .map(read)
      .join('\n');
    const broken = [...tests.matchAll(/expect_failures\s*=\s*\[([^\]]*)\]/g)].flatMap(([, list = '']) =>
      list.split(/[\s,]+/),
    );
    const untested = variables.filter(({ name, text }) => {
      const validations = text.match(/^ {2}validation \{$/gm)?.length ?? 0;
      return broken.filter((object) => object === `var.${name}`).length < validations;
    });
    expect(untested.map(({ name }) => name)).toEqual([]);
  },
);

test('runs and assertions are sentences', () => {
  const files = FILES.filter((path) => path.endsWith('.tftest.hcl'));
  const names = files.flatMap((path) => parseTestRuns(read(path)).map(({ name }) => name));
  expect(names.filter((name) => name.split('_').length < 4)).toEqual([]);
  const messages = files.flatMap((path) =>
    [...read(path).matchAll(/error_message = "(.*)"/g)].map(([, text = '']) => text),
  );
  expect(messages.length).toBeGreaterThan(100);
  expect(messages.filter((text) => text.split(' ').length < 4)).toEqual([]);
});

test.each(FILES.filter((path) => /environments\/[^/]+\/main\.tf$/.test(path)))(
  '%s only puts modules together',
  (path) => {
    expect(blocksOf(path, 'module').length).toBe(10);
    expect(blocksOf(path, 'resource')).toEqual([]);
  },
);

test('order logs and keys are protected from Terraform itself', () => {
  const protectedOnes = FILES.filter((path) => path.endsWith('.tf')).flatMap((path) =>
    blocksOf(path, 'resource')
      .filter(({ text }) => /^ {4}prevent_destroy = true$/m.test(text))
      .map(({ name }) => name),
  );
  expect(protectedOnes.sort()).toEqual(['aws_ebs_volume log', 'aws_secretsmanager_secret keys']);
});

test('no state, no lock file and no host of a registry is kept', () => {
  expect(FILES.filter((path) => /\.tfstate|\.terraform|\.tfvars$/.test(path))).toEqual([]);
  expect(FILES.filter((path) => /registry\.[a-z]/.test(read(path)))).toEqual([]);
});

describe('the profile for fest', () => {
  test.each([
    ['production', 'true'],
    ['staging', 'false'],
  ])('of %s is one that fest reads', async (name, production) => {
    const text = renderTemplate(read(`${ROOT}/templates/fest.config.yaml.tftpl`), {
      name,
      url: 'https://tickets.example.org',
      production,
    });
    const { profiles } = await parseConfigFile(text, 'fest.config.yaml');
    expect(profiles).toEqual({ [name]: { url: 'https://tickets.example.org', production: production === 'true' } });
  });
});
