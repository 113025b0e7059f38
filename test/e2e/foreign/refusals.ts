import { clusters, tag } from './istio.ts';
import type { Declared } from './project.ts';
import { shared, theirs } from './workloads.ts';

const everywhere = (line: (cluster: string) => string) => clusters.map(line).join('\n');

/** Differences that preflight names: a declaration that has one, and the lines that it gets. */
export const refused: readonly (readonly [difference: string, declared: Declared, lines: string])[] = [
  [
    'a revision that is none',
    { revision: 'canary' },
    everywhere(
      (name) =>
        `${name}: Istio: no injector has the declared revision or tag: pods would start without a proxy; received "canary"; allowed 1-31-others, default, ${tag}; fix: declare one of these in existing({ istio: { revision } })`,
    ),
  ],
  [
    'another trust domain',
    { trustDomain: 'shop.example' },
    everywhere(
      (name) =>
        `${name}: Istio: has another trust domain than the mesh declares: policies would name identities that nobody has, and every call would be refused; received "cluster.local"; allowed shop.example; fix: declare trustDomain: 'cluster.local'`,
    ),
  ],
  [
    'another network',
    { network: 'net-east' },
    'east: Istio: has its pods in another network than the mesh declares: calls between clusters would be sent to addresses that lead nowhere; received "vpc-east"; allowed net-east; fix: declare network: \'vpc-east\' for cluster east',
  ],
  [
    'a shared namespace that is not there',
    { sharedNamespace: 'team-b' },
    everywhere(
      (name) =>
        `${name}: Namespace team-b: does not exist, and is declared as shared: the mesh does not make it; fix: have its owners create it, or declare mesh.namespace('team-b') without shared`,
    ),
  ],
  [
    'an object of theirs with the name of ours',
    { stock: 'ledger' },
    `west: Service ${shared}/ledger: exists already in a namespace that the mesh shares, and belongs to others: the mesh would overwrite it; fix: declare another name`,
  ],
  [
    'a namespace of theirs that is declared as ours',
    { namespace: theirs },
    `east: Namespace ${theirs}: exists already, and meshwright did not create it; fix: declare another name, or share it with those who have it, mesh.namespace('${theirs}', { shared: true })`,
  ],
  [
    'gateways of theirs that are not there',
    { joins: true, ingressService: 'frontdoor' },
    everywhere(
      (name) =>
        `${name}: platform.ingress.service: there is no Service gateways-of-others/frontdoor: edges would have no address; fix: name that of the gateways in existing({ ingress: { namespace, service } })`,
    ),
  ],
  [
    'paths that their gateways do not normalize',
    { joins: true },
    everywhere(
      (name) =>
        `${name}: Istio: normalizes paths less than edges at gateways of others need: a path with // is another one for the policies of edges than for the services behind them; received "BASE"; allowed MERGE_SLASHES, DECODE_AND_MERGE_SLASHES; fix: have its owners set meshConfig.pathNormalization.normalization: MERGE_SLASHES`,
    ),
  ],
];
