import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../testing/certificates.ts';
import { fine, names, object, OnExisting } from '../testing/existing/on-existing.ts';

const network = 'vpc';
let on: OnExisting;
/** What `pilot-agent wait` says in a pod of a URL: nothing where it is answered with 200. */
let answer: (pod: string, url: string) => string | undefined;
let tried: string[];

beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
  tried = [];
  answer = () => undefined;
  for (const name of names) {
    on.addIstio(name, { network, eastWest: 'none' });
    const api = on.apis[name];
    const ofIstiod = api.run;
    api.run = (pod, command) => {
      if (pod === 'istiod-1') return ofIstiod(pod, command);
      const url = command[command.indexOf('--url') + 1] ?? '';
      tried.push(`${name}/${pod} ${url}`);
      const said = answer(pod, url);
      return said === undefined ? {} : { stderr: said, exitCode: 255 };
    };
  }
  on.store('east', proxy('front-e', '10.1.0.7', 'router'));
  on.store('west', proxy('front-w', '10.2.0.7', 'router'));
});

const proxy = (name: string, podIP: string, kind: 'router' | 'sidecar', more: object = {}) =>
  object(
    'v1',
    'Pod',
    {
      ...{ name, namespace: 'gateways' },
      labels: { 'service.istio.io/canonical-name': name },
      annotations: { 'istio.io/rev': '1-31-others' },
    },
    {
      spec: { containers: [{ name: 'istio-proxy', args: ['proxy', kind] }], ...more },
      status: { podIP, conditions: [{ type: 'Ready', status: 'True' }] },
    },
  );
const said = () => on.said({}, { network });
const refused = (url: string) =>
  `Error: timeout. Last error: Get "${url}": dial tcp: connect: no route to host\n`;

describe('clusters that are declared on one network', () => {
  test('whose pods reach each other are taken: each is tried from a gateway of the other', async () => {
    expect(await said()).toBe(fine);
    expect(on.warnings).toEqual([]);
    expect(tried.toSorted()).toEqual([
      'east/front-e http://10.2.0.7:15021/healthz/ready',
      'west/front-w http://10.1.0.7:15021/healthz/ready',
    ]);
  });

  test('whose pods do not, in one direction, are refused', async () => {
    answer = (pod, url) => (pod === 'front-e' ? refused(url) : undefined);
    expect(await said()).toBe(
      'from east to west, both on network vpc: pods: not reached from inside east: no route to host; received "10.2.0.7:15021"; fix: let pods of the two clusters connect to each other by their own addresses (routes, firewalls, network policies), or have the owners of Istio give the clusters networks of their own (topology.istio.io/network), with east-west gateways between them, and declare these',
    );
  });

  test('in which pods have the same address are refused, as each would reach its own', async () => {
    on.store('west', proxy('other-w', '10.1.0.7', 'sidecar'));
    expect(await said()).toBe(
      'east and west, both on network vpc: pods: pods of both have the same address: calls from one cluster to the other would get to pods of their own; received "10.1.0.7 of gateways/front-e in east and gateways/other-w in west"; fix: give their pods addresses that no other cluster has, or have the owners of Istio give the clusters networks of their own (topology.istio.io/network), with east-west gateways between them, and declare these',
    );
    expect(tried).toEqual([]);
  });

  test('where nobody runs to try it, or no program may be run, are taken, with a word', async () => {
    on.apis.west.objects.delete('/api/v1/namespaces/gateways/pods/front-w');
    on.store('west', proxy('beside-w', '10.2.0.8', 'sidecar'));
    answer = () => 'Error: unknown command "wait"';
    expect(await said()).toBe(fine);
    expect(on.warnings.toSorted()).toEqual([
      expect.stringMatching(
        /^cluster east: whether pods of west are reached was not tried: the connection cannot be tried: .*unknown command "wait".*$/,
      ),
      'cluster west: whether pods of east are reached was not tried: it has no ready gateway of Istio to try it from',
    ]);
    expect(tried).toEqual(['east/front-e http://10.2.0.8:15021/healthz/ready']);
  });

  test('pods in the network of their nodes say nothing of that of pods', async () => {
    for (const name of names)
      on.store(name, proxy('on-node', '192.168.0.1', 'router', { hostNetwork: true }));
    expect(await said()).toBe(fine);
    expect(tried).toHaveLength(2);
  });
});

test('clusters on networks of their own are not tried by their pods', async () => {
  for (const name of names) on.addIstio(name);
  on.store('west', proxy('other-w', '10.1.0.7', 'sidecar'));
  expect(await on.said()).toBe(fine);
});
