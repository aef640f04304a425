/** The checks: each runs a tool over the real files, which it must take, and over a copy with a fault, which it must refuse. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, planted, refused, taken } from './check.ts';
import { MACHINE_CHECKS } from './machine-checks.ts';
import { answerOf, composeConfig, pythonTool, type Ran, ROOT, run, systemTool } from './tools.ts';

/** What the files ask for; values do not matter. */
const COMPOSE_ENVIRONMENT = Object.fromEntries(
  ['REDIS', 'MYSQL', 'MYSQL_ROOT', 'GRAFANA']
    .map((name) => `FEST_LOCAL_${name}_PASSWORD`)
    .concat('FEST_JWT_SECRET', 'FEST_QUEUE_TOKEN_SECRET', 'FEST_TICKET_SIGNING_SEED')
    .map((name) => [name, 'x']),
);

const dockerfile: Check = {
  name: 'Dockerfile (hadolint)',
  run(directory) {
    const hadolint = pythonTool('hadolint');
    taken(run(hadolint, ['Dockerfile']));
    const fault = planted('Dockerfile', directory, 'FROM debian:bookworm-slim', 'FROM debian:latest');
    refused(run(hadolint, [fault]), /DL3007/);
  },
};

const compose: Check = {
  name: 'infra/local/compose.yaml and compose.full.yaml (the loader of Docker Compose)',
  run(directory) {
    const config = composeConfig();
    for (const file of ['compose.yaml', 'compose.full.yaml']) {
      taken(run(config, [`infra/local/${file}`], COMPOSE_ENVIRONMENT));
    }
    cpSync(join(ROOT, 'infra/local/compose.yaml'), join(directory, 'compose.yaml'));
    const full = 'infra/local/compose.full.yaml';
    const misspelt = planted(full, directory, '  read_only: true', '  readonly: true');
    refused(run(config, [misspelt], COMPOSE_ENVIRONMENT), /readonly/);
    const nowhere = planted(full, directory, '    redis: { condition', '    rediz: { condition');
    refused(run(config, [nowhere], COMPOSE_ENVIRONMENT), /rediz/);
    refused(run(config, [full]), /scripts\/write-compose-env\.ts/);
  },
};

const KUBERNETES_VERSIONS = ['1.31', '1.33', '1.36'];

function kubernetes(overlay: string): Check {
  return {
    name: `infra/kubernetes/overlays/${overlay} (kustomize; schemas of Kubernetes ${KUBERNETES_VERSIONS.join(', ')})`,
    run(directory) {
      const validate = pythonTool('kubernetes-validate');
      const manifests = answerOf('kubectl', ['kustomize', `infra/kubernetes/overlays/${overlay}`]);
      const names = [...manifests.matchAll(/name: (fest-configuration\S*)/g)].map(([, name]) => name);
      if (names.length !== 2 || names[0] !== names[1] || !/-[a-z\d]{10}$/.test(names[0] ?? ''))
        throw new Error(`the servers do not read the generated configuration: ${names.join(', ')}`);
      const file = join(directory, 'manifests.yaml');
      const faults: readonly (readonly [string, string, RegExp])[] = [
        ['readOnlyRootFilesystem: true', 'readOnlyRootFileSystem: true', /readOnlyRootFileSystem/],
        ['maxUnavailable: 1', 'maxUnavailable: [1]', /maxUnavailable/],
        ['  serviceName: fest-servers\n', '  replicas: "two"\n', /two/],
      ];
      for (const version of KUBERNETES_VERSIONS) {
        const judge = (text: string): Ran => {
          writeFileSync(file, text);
          return run(validate, ['--strict', '--quiet', '-k', version, file]);
        };
        taken(judge(manifests));
        for (const [find, replace, why] of faults) refused(judge(manifests.replace(find, replace)), why);
      }
    },
  };
}

const storageClasses: Check = {
  name: 'infra/kubernetes/storage-classes/aws.yaml (schemas of Kubernetes)',
  run(directory) {
    const validate = pythonTool('kubernetes-validate');
    const path = 'infra/kubernetes/storage-classes/aws.yaml';
    for (const version of KUBERNETES_VERSIONS) {
      const judge = (file: string): Ran => run(validate, ['--strict', '--quiet', '-k', version, file]);
      taken(judge(path));
      refused(judge(planted(path, directory, 'reclaimPolicy: Retain', 'reclaimPolicies: Retain')), /reclaimPolicies/);
    }
  },
};

const systemd: Check = {
  name: 'infra/systemd/fest.service (systemd-analyze)',
  run(directory) {
    // What it runs is not installed here.
    const unit = (find: string, replace: string): string => {
      const copy = planted('infra/systemd/fest.service', directory, find, replace);
      const text = readFileSync(copy, 'utf8').replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true');
      writeFileSync(copy, text);
      return copy;
    };
    const verify = (path: string): Ran => {
      const ran = run(systemTool('systemd-analyze', 'systemd'), ['verify', path]);
      // An unknown key is a warning, and a limit that does not count.
      return /ignoring|Unknown/.test(ran.said) ? { ...ran, status: 1 } : ran;
    };
    taken(verify(unit('MemoryMax=2G', 'MemoryMax=2G')));
    refused(verify(unit('MemoryMax=2G', 'MemoryMaximum=2G')), /MemoryMaximum/);
    const exposure = ['security', '--offline=true', '--threshold=20'];
    taken(run(systemTool('systemd-analyze', 'systemd'), [...exposure, unit('MemoryMax=2G', 'MemoryMax=2G')]));
    refused(
      run(systemTool('systemd-analyze', 'systemd'), [
        ...exposure,
        unit('CapabilityBoundingSet=', 'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE'),
      ]),
      /exposure/i,
    );
  },
};

const balancer: Check = {
  name: 'infra/local/haproxy/haproxy.cfg (haproxy -c)',
  run(directory) {
    const servers = { FEST_SERVER_ONE: '127.0.0.1:8081', FEST_SERVER_TWO: '127.0.0.1:8082' };
    const file = 'infra/local/haproxy/haproxy.cfg';
    const haproxy = systemTool('haproxy');
    taken(run(haproxy, ['-c', '-f', file], servers));
    const fault = planted(file, directory, 'default_backend fest', 'default_backend festival');
    refused(run(haproxy, ['-c', '-f', fault], servers), /festival/);
  },
};

export const CHECKS: readonly Check[] = [
  dockerfile,
  compose,
  kubernetes('staging'),
  kubernetes('production'),
  storageClasses,
  systemd,
  ...MACHINE_CHECKS,
  balancer,
];
