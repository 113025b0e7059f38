import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import { image, refused, type Shop } from '../../../testing/foreign.ts';
import { problemsOf, twoClusters } from '../../../testing/mesh.ts';
import { withProject } from '../../../testing/project.ts';
import { GrpcService } from '../grpc-service.ts';

const keys =
  'labels, annotations, nodeSelector, tolerations, affinity, priorityClass, hostAliases, group, volumes, mounts, postStart, ' +
  'initContainers, containers, serviceAccount, kubernetesApi, notSecret, patches';
const said = (pod: unknown, more: object = {}) =>
  refused(
    (shop: Shop) =>
      new GrpcService(shop, 'cart', {
        ...{ image, service: OrdersService, port: 7070 },
        ...({ pod, ...more } as object),
      }),
  ).map((line) => line.replace('demo/shop/cart: ', ''));

describe('what is said of pods, and is wrong', () => {
  test.each(['istio-data', 'workload-socket', 'external-tls-0', 'kube-api-access-x'])(
    'the name %s of a volume, which pods may get beside',
    (name) => {
      expect(said({ volumes: { [name]: { emptyDir: {} } }, mounts: { '/x': name } })).toEqual([
        `pod.volumes.${name}: is the name of a volume that Istio or the mesh may put into the pod; received "${name}"; fix: choose another`,
      ]);
    },
  );

  test('keys and values at any depth, all at once', () => {
    const path =
      'volumes by path: an absolute path below /, without ".", ".." or a slash at its end, such as /data';
    expect(
      said({
        lables: {},
        nodeSelector: { arch: 7 },
        affinity: { nodeAffinty: {} },
        tolerations: [{ key: 'a', operator: 'Exist' }],
        volumes: {
          a: { emptydir: {} },
          b: {},
          c: { emptyDir: {}, claim: 'x' },
          d: { configMap: { nmae: 'x' } },
        },
        mounts: { data: 'a', '/x': { volume: 'a', readonly: true }, '/y/../z': 'a' },
        postStart: { exce: ['/x'] },
        containers: [{ name: 'x', image: 'x:latest' }],
        kubernetesApi: { rules: [{ resources: [], verbs: ['get'] }] },
      }),
    ).toEqual([
      'pod.nodeSelector.arch: wrong value; received 7; allowed text (put numbers and booleans in quotes)',
      'pod.tolerations[0].operator: wrong value; received "Exist"; allowed Equal, Exists',
      'pod.affinity.nodeAffinty: unknown key; allowed nodeAffinity, podAffinity, podAntiAffinity; fix: did you mean nodeAffinity?',
      'pod.volumes.a.emptydir: unknown key; allowed emptyDir, configMap, secret, projected, claim, files; fix: did you mean emptyDir?',
      ...['b', 'c'].map(
        (name) =>
          `pod.volumes.${name}: wrong value; received ${name === 'b' ? '{}' : '{"emptyDir":{},"claim":"x"}'}; ` +
          'allowed a mapping with one of the keys emptyDir, configMap, secret, projected, claim, files',
      ),
      'pod.volumes.d.configMap.name: missing; allowed the name of a ConfigMap: a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit',
      'pod.volumes.d.configMap.nmae: unknown key; allowed name, items, mode; fix: did you mean name?',
      `pod.mounts.data: wrong value; received "data"; allowed ${path}`,
      'pod.mounts./x.readonly: unknown key; allowed volume, readOnly, subPath; fix: did you mean readOnly?',
      `pod.mounts./y/../z: wrong value; received "/y/../z"; allowed ${path}`,
      'pod.postStart.exce: unknown key; allowed exec, http; fix: did you mean exec?',
      'pod.containers[0].image: wrong value; received "x:latest"; allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved',
      'pod.kubernetesApi.rules[0].resources: wrong value; received []; allowed a list of resources, such as pods',
      `pod.lables: unknown key; allowed ${keys}; fix: did you mean labels?`,
    ]);
  });

  test('names by which Kubernetes, Istio or the mesh know pods', () => {
    const allowed =
      'of Istio: sidecar.istio.io/proxyCPU, sidecar.istio.io/proxyCPULimit, sidecar.istio.io/proxyMemory, sidecar.istio.io/proxyMemoryLimit, ' +
      'sidecar.istio.io/logLevel, sidecar.istio.io/componentLogLevel, sidecar.istio.io/agentLogLevel';
    const label = 'is a label by which Kubernetes, Istio or the mesh know pods';
    const instead = 'fix: remove it, or use a name of your own, such as shop.example/tier';
    expect(
      said({
        labels: {
          'app.kubernetes.io/name': 'orders',
          version: 'v2',
          'istio-locality': 'other.zone',
          'topology.istio.io/network': 'x',
          'security.istio.io/tlsMode': 'disabled',
          '-x': 'y',
          tier: 'front end',
        },
        annotations: {
          'sidecar.istio.io/inject': 'false',
          'sidecar.istio.io/proxyCPUs': '1',
          'prometheus.io/port': '1',
          'meshwright/accept-read-only-root': 'I may',
          'checksum/config': '1',
          'container.apparmor.security.beta.kubernetes.io/cart': 'unconfined',
        },
        serviceAccount: { annotations: { 'networking.istio.io/exportTo': '*' } },
      }),
    ).toEqual([
      `pod.labels.app.kubernetes.io/name: ${label}; received "orders"; ${instead}`,
      `pod.labels.version: ${label}; received "v2"; ${instead}`,
      `pod.labels.istio-locality: ${label}; received "other.zone"; ${instead}`,
      `pod.labels.topology.istio.io/network: ${label}; received "x"; ${instead}`,
      `pod.labels.security.istio.io/tlsMode: ${label}; received "disabled"; ${instead}`,
      'pod.labels.-x: is not a valid name; received "-x"; allowed NAME or PREFIX/NAME: a name of 1 to 63 letters, digits, "-", "_" and ".", its ends letters or digits, and a DNS subdomain',
      'pod.labels.tier: is not the value of a label; received "front end"; allowed empty, or 1 to 63 letters, digits, "-", "_" and ".", its ends letters or digits',
      `pod.annotations.sidecar.istio.io/inject: is an annotation of Istio that may undo what the mesh holds pods to; received "false"; allowed ${allowed}; fix: remove it, or add it by a patch with a reason`,
      `pod.annotations.sidecar.istio.io/proxyCPUs: is an annotation of Istio that may undo what the mesh holds pods to; received "1"; allowed ${allowed}; fix: did you mean sidecar.istio.io/proxyCPU?`,
      'pod.annotations.prometheus.io/port: says where metrics are, which the mesh writes: use metrics; received "1"; fix: remove it',
      'pod.annotations.meshwright/accept-read-only-root: is the mesh’s own; received "I may"; fix: remove it',
      'pod.annotations.checksum/config: is the mesh’s own; received "1"; fix: remove it',
      'pod.annotations.container.apparmor.security.beta.kubernetes.io/cart: sets the confinement of a container; received "unconfined"; fix: remove it',
      'pod.serviceAccount.annotations.networking.istio.io/exportTo: is an annotation of Istio that may undo what the mesh holds pods to; received "*"; allowed none of Istio; fix: remove it',
    ]);
  });

  test('what does not fit each other in one pod', () => {
    const helper = { image: 'registry.example/helper:1.0.0' };
    expect(
      said(
        {
          tolerations: [{ value: 'x' }, { key: 'a', operator: 'Exists', value: 'x', tolerationSeconds: 3 }],
          hostAliases: { 'ledger.example': ['a'], '10.0.0.1': ['Not a name'] },
          volumes: { data: { claim: 'carts' }, 'istio-token': { emptyDir: {} }, idle: { emptyDir: {} } },
          mounts: {
            '/data': 'dat',
            '/var/run/secrets/kubernetes.io/serviceaccount': 'data',
            '/i': 'istio-token',
          },
          initContainers: [{ ...helper, name: 'cart', probes: { exec: ['/x'] } }],
          containers: [
            { ...helper, name: 'istio-proxy', ports: [7070] },
            { ...helper, name: 'b', ports: [9100, 9200], probes: { grpc: {} } },
            {
              ...helper,
              name: 'b',
              ports: [9200],
              env: {
                'A-B': 'x',
                LD_PRELOAD: '/x.so',
                C: '$(NONE)',
                D: { field: 'spec.nodename' },
                E: { resource: 'cpu' },
              },
            },
          ],
        },
        { httpGateway: true },
      ),
    ).toEqual([
      'pod.tolerations[0].key: missing, and without it every taint is meant; fix: add it, or write operator: Exists to tolerate every taint',
      'pod.tolerations[1].value: is not compared by the operator Exists; received "x"; fix: remove it',
      'pod.tolerations[1].tolerationSeconds: is for the effect NoExecute alone; received 3; fix: remove it',
      'pod.hostAliases: is not an IP address; received "ledger.example"; allowed an IPv4 or IPv6 address',
      'pod.hostAliases.10.0.0.1: is not a name of a host; received "Not a name"; allowed a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit',
      'pod.volumes.istio-token: is the name of a volume that Istio or the mesh may put into the pod; received "istio-token"; fix: choose another',
      'pod.mounts./data: there is no such volume; received "dat"; allowed data, istio-token, idle; fix: did you mean data?',
      'pod.mounts./var/run/secrets/kubernetes.io/serviceaccount: is where the token for the Kubernetes API is; received "/var/run/secrets/kubernetes.io/serviceaccount"; fix: choose another path, or use kubernetesApi',
      'pod.initContainers[0]: probes, postStart and preStop are for containers that keep running; received "cart"; fix: remove them, or add sidecar: true',
      'pod.containers[1].ports: a probe by gRPC asks the only port of the container; received [9100,9200]; allowed one port; fix: name its port, or probe it by http or exec',
      'pod.containers[2].env.A-B: not a valid name for an environment variable; received "A-B"; allowed letters, digits and underscores, not starting with a digit',
      'pod.containers[2].env.LD_PRELOAD: loads code into the program, or changes how it is loaded; fix: remove it',
      'pod.containers[2].env.C: uses a variable that is not set before it; received "$(NONE)"; allowed A-B, LD_PRELOAD; fix: set it before, or write $$(NONE) for the text itself',
      "pod.containers[2].env.D.field: not a field that a variable can have; received \"spec.nodename\"; allowed metadata.name, metadata.namespace, metadata.uid, spec.nodeName, spec.serviceAccountName, status.hostIP, status.hostIPs, status.podIP, status.podIPs, metadata.labels['NAME'] or metadata.annotations['NAME']",
      'pod.containers[2].env.E.resource: not a resource of a container; received "cpu"; allowed limits.cpu, limits.memory, requests.cpu, requests.memory',
      'pod.initContainers[0].name: is the name of another container of the pod; received "cart"; fix: choose another',
      'pod.containers[0].name: is the name of a container that Istio or the HTTP gateway has in the same pod; received "istio-proxy"; allowed a name other than istio-proxy, istio-init, istio-validation, enable-core-dump, http-gateway',
      'pod.containers[2].name: is the name of another container of the pod; received "b"; fix: choose another',
      'pod.containers[0].ports[0]: is a port that cart listens on in the same pod; received 7070; fix: choose another',
      'pod.containers[2].ports[0]: is a port that b listens on in the same pod; received 9200; fix: choose another',
      'pod.volumes.idle: no container mounts this volume; fix: add it to the mounts of a container, or remove it',
    ]);
  });

  test('files that no ConfigMap holds', () => {
    const volumes = { rules: { files: { 'rules.txt': 'é'.repeat(460_800), b: '' } } };
    expect(said({ volumes, mounts: { '/etc/rules': 'rules' } })).toEqual([
      'pod.volumes.rules: has files of more bytes than a ConfigMap holds; received 921610; allowed at most 921600; fix: put them into the image, or a claim',
    ]);
  });

  test('rights to act as others in the Kubernetes API, without a reason', () => {
    const kubernetesApi = (reasons: Readonly<Record<number, string>> = {}) => ({
      kubernetesApi: {
        rules: [
          { resources: ['pods', 'pods/log', 'pods/exec'], verbs: ['get'] },
          { resources: ['serviceaccounts/token'], verbs: ['create'] },
          { apiGroups: ['apps', 'batch'], resources: ['*'], verbs: ['patch'] },
          { resources: ['secrets'], verbs: ['create', 'get'] },
          { resources: ['secrets'], verbs: ['list'] },
          { resources: ['secrets'], verbs: ['get'], resourceNames: ['own'] },
          { resources: ['*/exec', 'pods/portforward'], verbs: ['get'] },
          { apiGroups: ['security.istio.io'], resources: ['*'], verbs: ['update'] },
          { apiGroups: ['networking.istio.io'], resources: ['envoyfilters'], verbs: ['*'] },
        ].map((rule, index) => ({ ...rule, ...(index in reasons && { reason: reasons[index] }) })),
      },
    });
    const others = (index: number, resource: string) =>
      `pod.kubernetesApi.rules[${index}]: lets it act as any other account of its namespace, read its Secrets, or change what that may call; received "${resource}"; ` +
      'fix: name the verbs and resources that it needs; or, if it has to be so, give the rule a reason';
    const found = [
      others(0, 'pods/exec'),
      others(1, 'serviceaccounts/token'),
      ...['deployments', 'statefulsets', 'daemonsets', 'replicasets', 'jobs', 'cronjobs'].map((one) =>
        others(2, one),
      ),
      others(3, 'secrets'),
      others(4, 'secrets'),
      others(6, 'pods/exec'),
      others(6, 'pods/portforward'),
      ...['authorizationpolicies', 'peerauthentications', 'requestauthentications'].map((one) =>
        others(7, one),
      ),
      others(8, 'envoyfilters'),
    ];
    expect(said(kubernetesApi())).toEqual(found);
    // A reason is for one rule, and one that needs it.
    const reason = 'it deploys the shop';
    expect(said(kubernetesApi({ 0: reason }))).toEqual(found.slice(1));
    const all = Object.fromEntries([0, 1, 2, 3, 4, 6, 7, 8].map((index) => [index, reason]));
    expect(said(kubernetesApi(all))).toEqual([]);
    expect(said(kubernetesApi({ ...all, 5: reason }))).toEqual([
      `pod.kubernetesApi.rules[5].reason: excuses nothing: the rule gives no right that needs a reason; received "${reason}"; fix: remove it`,
    ]);
  });

  test('what looks like a secret in the environment of any container', () => {
    const one = {
      name: 'helper',
      image: 'registry.example/helper:1.0.0',
      env: { DB_PASSWORD: 'hunter2-hunter2' },
    };
    const found = (container: string) =>
      `Deployment shop/cart: env DB_PASSWORD of container ${container} has the name of a secret, in plain text; ` +
      'fix: take it from a Secret; if it is not a secret, write { value: TEXT, notSecret: REASON } in env, or ' +
      `list ${container}.env.DB_PASSWORD in the annotation meshwright/not-secret, or of a workload in pod.notSecret with the reason`;
    expect(said({ containers: [one] })).toEqual([found('helper')]);
    expect(said({ initContainers: [one] })).toEqual([found('helper')]);
    const reasoned = { ...one, env: { DB_PASSWORD: { value: 'hunter2', notSecret: 'of a test' } } };
    expect(said({ containers: [reasoned] })).toEqual([]);
  });

  test('a key that config.yml has, too, and misspelt ones there', () => {
    withProject({ orders: { pod: { nodeSelector: { disk: 'ssd' } } } }, (root) => {
      const mesh = twoClusters(root);
      new GrpcService(mesh.namespace('shop'), 'orders', {
        app: 'apps/orders',
        service: OrdersService,
        pod: { nodeSelector: { disk: 'any' }, labels: { tier: 'front' } },
      });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: pod.nodeSelector: is in apps/orders/config.yml, too; fix: keep one of the two',
      ]);
    });
    withProject({ orders: { pod: { nodeSelctor: {} } } }, (root) => {
      const mesh = twoClusters(root);
      new GrpcService(mesh.namespace('shop'), 'orders', { app: 'apps/orders', service: OrdersService });
      expect(problemsOf(mesh)).toEqual([
        `apps/orders/config.yml: pod.nodeSelctor: unknown key; allowed ${keys}; fix: did you mean nodeSelector?`,
      ]);
    });
  });
});

test('whatever stands there instead is told as a mistake, and ends in no other error', () => {
  const some = fc.oneof(
    fc.anything(),
    fc.dictionary(
      fc.constantFrom(...keys.split(', ')),
      fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.anything())),
    ),
  );
  fc.assert(
    fc.property(some, some, (pod, clusters) => {
      said(pod, { clusters });
    }),
    { numRuns: 200 },
  );
});

test('a lower Pod Security level needs a reason', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    mesh.namespace('shop', { podSecurity: { level: 'restricted', reson: 'x' } as never });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop: podSecurity.reson: unknown key; received "reson"; allowed level, reason; fix: did you mean reason?',
      'demo/shop: podSecurity.level: is not a lower level; received "restricted"; allowed baseline, privileged',
      'demo/shop: podSecurity.reason: is not a reason; received nothing; allowed one line of text',
    ]);
  });
});
