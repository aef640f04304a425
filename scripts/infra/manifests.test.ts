/** What the Kubernetes manifests promise, read as they are in `base`; `npm run check:infra` renders them and asks the schemas. */
import { parseEnv } from 'node:util';
import { LIMITS } from '@fest/server/limits';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { read } from '../../test/tidy/repository.ts';

type Tree = { readonly [name: string]: Tree } & { readonly [index: number]: Tree };

function documents(path: string): readonly Tree[] {
  return parseAllDocuments(read(path)).map((document) => document.toJS() as Tree);
}

const [SET] = documents('infra/kubernetes/base/server.yaml');
const POD = SET?.spec?.template?.spec;
const SERVER = POD?.containers?.[0];
const CONFIGURATION = { data: parseEnv(read('infra/kubernetes/base/configuration.env')) };
const OVERLAYS = ['staging', 'production'];
const LABELS = { 'app.kubernetes.io/name': 'fest' };

test('a pod has the time that its stop takes', () => {
  const lameDuckMs = Number(CONFIGURATION?.data?.FEST_LAME_DUCK_MS);
  expect(lameDuckMs).toBeGreaterThanOrEqual(5_000);
  expect(Number(POD?.terminationGracePeriodSeconds) * 1_000).toBeGreaterThan(lameDuckMs + LIMITS.stopMs);
});

test('a probe of readiness notices a server that goes before it closes its port', () => {
  const { periodSeconds, failureThreshold } = (SERVER?.readinessProbe ?? {}) as unknown as Record<string, number>;
  const noticedMs = Number(periodSeconds) * Number(failureThreshold) * 1_000;
  expect(noticedMs).toBeLessThan(Number(CONFIGURATION?.data?.FEST_LAME_DUCK_MS));
});

test('probes ask routes that there are, and liveness none that a store decides about', () => {
  const paths = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => SERVER?.[probe]?.httpGet?.path);
  expect(paths).toEqual(['/health/live', '/health/ready', '/health/live']);
});

test('the order log is on a volume that outlives its pod, its place in the set, and the set', () => {
  expect(SET?.kind).toBe('StatefulSet');
  expect(SET?.spec?.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
  expect(SET?.spec?.volumeClaimTemplates?.[0]).toMatchObject({
    metadata: { name: 'log' },
    spec: { accessModes: ['ReadWriteOncePod'] },
  });
  const mounts = (SERVER?.volumeMounts ?? []) as unknown as readonly { name: string; mountPath: string }[];
  expect(mounts.find(({ name }) => name === 'log')?.mountPath).toBe(CONFIGURATION?.data?.FEST_LOG_DIR);
});

test('volumes are of classes that are named, and that keep a volume whose claim is gone', () => {
  const classes = documents('infra/kubernetes/storage-classes/aws.yaml') as unknown as readonly {
    readonly metadata: { readonly name: string };
    readonly reclaimPolicy: string;
    readonly provisioner: string;
  }[];
  const [ledger] = documents('infra/kubernetes/base/gateway-ledger.yaml');
  const wanted = [SET?.spec?.volumeClaimTemplates?.[0]?.spec?.storageClassName, ledger?.spec?.storageClassName];
  expect(classes.map(({ metadata }) => metadata.name)).toEqual(wanted);
  expect(classes.map(({ reclaimPolicy }) => reclaimPolicy)).toEqual(['Retain', 'Retain']);
});

test('a changed value of the configuration rolls the pods: its name has a hash of it', () => {
  const generators = ['base', ...OVERLAYS.map((name) => `overlays/${name}`)].map((folder) => {
    const [kustomization] = documents(`infra/kubernetes/${folder}/kustomization.yaml`);
    return kustomization as unknown as {
      readonly configMapGenerator: readonly { readonly name: string; readonly behavior?: string }[];
      readonly generatorOptions?: object;
    };
  });
  expect(generators.map(({ configMapGenerator }) => configMapGenerator.map(({ name }) => name))).toEqual([
    ['fest-configuration'],
    ['fest-configuration'],
    ['fest-configuration'],
  ]);
  expect(generators.map(({ configMapGenerator }) => configMapGenerator[0]?.behavior)).toEqual([
    undefined,
    'merge',
    'merge',
  ]);
  expect(generators.filter(({ generatorOptions }) => generatorOptions !== undefined)).toEqual([]);
  expect(SERVER?.envFrom?.[0]).toEqual({ configMapRef: { name: 'fest-configuration' } });
});

test('a server is confined', () => {
  expect(POD?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001 });
  expect(SERVER?.securityContext).toEqual({
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
  expect(POD?.automountServiceAccountToken).toBe(false);
});

test('no selector means everything in the namespace', () => {
  const [policy] = documents('infra/kubernetes/base/network-policy.yaml');
  const [budget] = documents('infra/kubernetes/base/disruption-budget.yaml');
  const services = documents('infra/kubernetes/base/services.yaml');
  const spread = (POD?.topologySpreadConstraints ?? []) as unknown as readonly Tree[];
  const selectors = [
    SET?.spec?.selector?.matchLabels,
    policy?.spec?.podSelector?.matchLabels,
    budget?.spec?.selector?.matchLabels,
    ...spread.map(({ labelSelector }) => labelSelector?.matchLabels),
    ...services.map(({ spec }) => spec?.selector),
  ];
  expect(selectors).toEqual(selectors.map(() => LABELS));
  expect(SET?.spec?.template?.metadata?.labels).toEqual(LABELS);
});

test('the autoscaler goes by event loops, adds servers before the admission gets cautious, and takes none away', () => {
  const [scaler] = documents('infra/kubernetes/overlays/production/autoscaler.yaml');
  const { metric, target } = scaler?.spec?.metrics?.[0]?.pods ?? {};
  expect(Number.parseInt(String(target?.averageValue), 10)).toBeLessThan(850);
  expect(scaler?.spec?.behavior?.scaleDown).toEqual({ selectPolicy: 'Disabled' });
  const [adapter] = documents('infra/kubernetes/prometheus-adapter/rules.yaml');
  expect(adapter?.rules?.[0]?.name?.as).toBe(metric?.name);
});
