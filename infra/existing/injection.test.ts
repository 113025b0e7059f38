import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { fine, names, namespaceOf, OnExisting } from '../testing/existing/on-existing.ts';

let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
});

const none =
  'its labels keep the injector from its pods: those of the mesh would start without a proxy, and answer anybody in plaintext';
const other =
  'its labels give its pods the proxies of another revision than the mesh declares, if there is one: nothing of that one is compared';
const take = (name: string) =>
  `fix: have its owners take it away: kubectl label namespace ${name} istio-injection-`;

/** What is said of a namespace of others with such labels. */
async function saidOf(labels: Readonly<Record<string, string>>, revision = 'prod'): Promise<string> {
  for (const name of names) on.store(name, namespaceOf('team-a'));
  on.store('west', namespaceOf('team-a', labels));
  return on.said({ sharedNamespaces: ['team-a'], revision });
}

test.each([
  ['no label', {}],
  ['that of the declared tag', { 'istio.io/rev': 'prod' }],
  ['that of the revision that the tag stands for', { 'istio.io/rev': '1-31-others' }],
])('%s of a shared namespace lets its pods have the proxies that are declared', async (_, labels) => {
  expect(await saidOf(labels)).toBe(fine);
});

test.each([
  [
    'keeps every proxy away',
    { 'istio-injection': 'disabled' },
    `${none}; received "istio-injection=disabled"; allowed none; ${take('team-a')}`,
  ],
  [
    'asks for proxies of the default revision',
    { 'istio-injection': 'enabled', 'istio.io/rev': 'prod' },
    `${other}; received "istio-injection=enabled"; allowed none; ${take('team-a')}`,
  ],
  [
    'asks for proxies of another revision',
    { 'istio.io/rev': 'old' },
    `${other}; received "istio.io/rev=old"; allowed istio.io/rev=prod, or none; fix: declare existing({ istio: { revision: 'old' } }), or have its owners change the label`,
  ],
])('a label of a shared namespace that %s is refused', async (_, labels, problem) => {
  expect(await saidOf(labels)).toBe(`west: Namespace team-a: ${problem}`);
});

test('a label that others gave to a namespace of the mesh is refused as well', async () => {
  on.store('east', labelManaged(namespaceOf('shop', { 'istio-injection': 'disabled' }), 'shop'));
  expect(await on.said()).toBe(
    `east: Namespace shop: ${none}; received "istio-injection=disabled"; allowed none; ${take('shop')}`,
  );
});

test('istio-injection=enabled is what the default revision goes by, and disabled is refused there, too', async () => {
  for (const name of names) on.addTag(name, 'default');
  expect(await saidOf({ 'istio-injection': 'enabled', 'istio.io/rev': 'old' }, 'default')).toBe(fine);
  expect(await saidOf({ 'istio-injection': 'disabled' }, 'default')).toBe(
    `west: Namespace team-a: ${none}; received "istio-injection=disabled"; allowed istio-injection=enabled, or none; ${take('team-a')}`,
  );
});
