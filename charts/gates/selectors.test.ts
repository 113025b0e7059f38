import { describe, expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import { problemsWith } from '../testing/custom.ts';
import { deployment, said, security, service, type Own } from '../testing/own-objects.ts';

describe('D12: selectors', () => {
  const labels = '{"app":"own"}';
  const sidecar = (name: string, spec: object): Own => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    name,
    body: { spec },
  });
  const one = 'and Istio uses only one of them; fix: keep one of them';

  test('that are unlike the labels of their own pods', () => {
    expect(said(deployment({}, {}, { labels: { app: 'owm' } }))).toEqual([
      'demo/custom: Deployment shop/own: spec.selector does not select the pods of its own template; ' +
        `received ${labels}; allowed app=owm; fix: give the template the labels that the selector names`,
    ]);
  });

  test('that select nobody', () => {
    const nobody =
      'fix: give the pods the labels, or remove it; if something else creates the pods, give the reason in the annotation meshwright/accept-pods-of-others';
    expect(
      said(service({ selector: { app: 'own' }, ports: [{ name: 'http', port: 80 }] }), {
        ...security('AuthorizationPolicy', {
          action: 'DENY',
          selector: { matchLabels: { app: 'own' } },
          rules: [{}],
        }),
      }),
    ).toEqual(
      [
        `demo/custom: AuthorizationPolicy shop/own: spec.selector.matchLabels selects no pod of namespace shop in any cluster; received ${labels}; ${nobody}`,
        `demo/custom: Service shop/own: spec.selector selects no pod of namespace shop in any cluster; received ${labels}; ${nobody}`,
      ].toReversed(),
    );
  });

  test.each([
    ['v1', 'Service', ['selector']],
    ['policy/v1', 'PodDisruptionBudget', ['selector', 'matchLabels']],
    ['security.istio.io/v1', 'AuthorizationPolicy', ['selector', 'matchLabels']],
    ['security.istio.io/v1', 'PeerAuthentication', ['selector', 'matchLabels']],
    ['security.istio.io/v1', 'RequestAuthentication', ['selector', 'matchLabels']],
    ['telemetry.istio.io/v1', 'Telemetry', ['selector', 'matchLabels']],
    ['networking.istio.io/v1alpha3', 'EnvoyFilter', ['workloadSelector', 'labels']],
    ['networking.istio.io/v1', 'Sidecar', ['workloadSelector', 'labels']],
    ['networking.istio.io/v1', 'Gateway', ['selector']],
    ['extensions.istio.io/v1alpha1', 'WasmPlugin', ['selector', 'matchLabels']],
  ])('of a %s %s that select nobody', (apiVersion, kind, path) => {
    const about = (pods: object) => {
      const spec = path.toReversed().reduce<object>((inner, key) => ({ [key]: inner }), pods);
      // Of each kind, other gates have to say what else is missing.
      return said({ apiVersion, kind, body: { spec } }).filter((line) => line.includes('selects no pod'));
    };
    const where = kind === 'Gateway' ? 'any namespace' : 'namespace shop';
    expect(about({ app: 'own' })).toEqual([
      expect.stringContaining(
        `${kind} shop/own: spec.${path.join('.')} selects no pod of ${where} in any cluster; received ${labels}; fix: `,
      ),
    ]);
    expect(about({ 'app.kubernetes.io/part-of': 'demo' })).toEqual([]);
  });

  test('unless somebody else makes the pods, or gives them the label', () => {
    const ports = [{ name: 'http', port: 80 }];
    const annotations = { 'meshwright/accept-pods-of-others': 'an operator makes them' };
    expect(said({ ...service({ selector: { app: 'own' }, ports }), annotations })).toEqual([]);
    const selector = { app: 'own', 'statefulset.kubernetes.io/pod-name': 'own-0' };
    expect(said(deployment(), { ...service({ selector, ports }), name: 'own-0' })).toEqual([]);
  });

  test('of two Sidecars, or two of what else a pod has only one', () => {
    const mine = {
      workloadSelector: { labels: { 'app.kubernetes.io/part-of': 'demo' } },
      egress: [{ hosts: ['~/*'] }],
    };
    expect(said(sidecar('own', mine))).toEqual([
      `demo/custom: Sidecar shop/own applies to pods that Sidecar shop/catalog of demo/shop/catalog also applies to, ${one}`,
    ]);
    const wide = { egress: [{ hosts: ['~/*'] }] };
    expect(said(sidecar('a', wide), sidecar('b', wide))).toEqual([
      `demo/custom: Sidecar shop/b applies to all pods of its namespace that Sidecar shop/a of demo/custom also applies to, ${one}`,
    ]);
    const strict = { mtls: { mode: 'STRICT' } };
    expect(said({ ...security('PeerAuthentication', strict, 'istio-system') })).toEqual([
      'demo/custom: PeerAuthentication istio-system/own applies to all pods of its namespace that ' +
        `PeerAuthentication istio-system/mutual-tls of demo/MeshDefaults also applies to, ${one}`,
    ]);
  });
});

describe('D12: namespaces', () => {
  const quota = (namespace: string | undefined, annotations = {}): Own => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    namespace,
    annotations,
    body: { spec: { hard: { pods: '1' } } },
  });
  const annotation = 'meshwright/accept-undeclared-namespace';
  const known = 'istio-eastwest, istio-ingress, istio-system, shop';

  test('that the mesh does not declare', () => {
    expect(said(quota('shopp'))).toEqual([
      'demo/custom: ResourceQuota shopp/own is in a namespace that the mesh does not declare; received "shopp"; ' +
        `allowed ${known}; fix: did you mean shop?; or, if something else creates it, give the reason in the annotation ${annotation}`,
    ]);
    expect(said(quota('monitoring', { [annotation]: 'made with Prometheus' }))).toEqual([]);
    expect(said(quota('kube-system'))).toEqual([]);
    // Istio looks at none but those that the mesh declares.
    expect(said(security('PeerAuthentication', { mtls: { mode: 'STRICT' } }, 'default'))).toEqual([
      'demo/custom: PeerAuthentication default/own is in a namespace that the mesh does not declare; received "default"; ' +
        `allowed ${known}; fix: declare it with mesh.namespace; or, if something else creates it, give the reason in the annotation ${annotation}`,
    ]);
  });

  test('that are left out', () => {
    const problems = problemsWith((into) => {
      into.add('40-services', k8s.KubeConfigMap, { name: 'own' }, {});
    });
    expect(problems).toEqual([
      `demo/custom: ConfigMap own has no namespace, and would be created in default; allowed ${known}; fix: set its namespace`,
    ]);
  });
});

test('a selector of pods of the Gateway API, for which Istio ignores it', () => {
  const matchLabels = { 'gateway.networking.k8s.io/gateway-name': 'own' };
  const annotations = { 'meshwright/accept-pods-of-others': 'istiod makes them' };
  const policy = security('AuthorizationPolicy', { action: 'DENY', selector: { matchLabels }, rules: [{}] });
  expect(said({ ...policy, annotations })).toEqual([
    'demo/custom: AuthorizationPolicy shop/own: spec.selector.matchLabels selects pods of a Gateway of the Gateway API, for which Istio ignores selectors; received "own"; fix: name the Gateway in spec.targetRefs',
  ]);
});
