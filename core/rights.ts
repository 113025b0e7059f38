/** What a rule of a Role allows, as Kubernetes' RBAC has it. */
export interface Rights {
  /** The empty text is Kubernetes' core. */
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: whatever the names. */
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
}

type Strong = readonly (readonly [group: string, resources: readonly string[]])[];

const writing = ['create', 'update', 'patch'];
const reading = ['get', 'list', 'watch'];

/** What runs as other accounts, has their tokens, stands in the place of their pods, or says what they may call. */
const written: Strong = [
  [
    '',
    [
      ...['pods', 'pods/ephemeralcontainers', 'replicationcontrollers', 'serviceaccounts/token', 'secrets'],
      ...['services', 'endpoints', 'namespaces', 'persistentvolumes'],
    ],
  ],
  ['discovery.k8s.io', ['endpointslices']],
  ['security.istio.io', ['authorizationpolicies', 'peerauthentications', 'requestauthentications']],
  [
    'networking.istio.io',
    [
      ...['destinationrules', 'envoyfilters', 'gateways', 'serviceentries', 'sidecars'],
      ...['virtualservices', 'workloadentries', 'workloadgroups', 'proxyconfigs'],
    ],
  ],
  ['extensions.istio.io', ['wasmplugins']],
  ['apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']],
  ['batch', ['jobs', 'cronjobs']],
  [
    'admissionregistration.k8s.io',
    ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'mutatingadmissionpolicies'],
  ],
  ['apiregistration.k8s.io', ['apiservices']],
  ['certificates.k8s.io', ['certificatesigningrequests/approval']],
];

/** What gets into pods, or to their ports past their proxies: a connection is opened by `get`, too. */
const opened: Strong = [
  [
    '',
    [...['pods/exec', 'pods/attach', 'pods/portforward'], ...['pods/proxy', 'services/proxy', 'nodes/proxy']],
  ],
];

/** Verbs by which an account gets more than it was given. */
const growing = ['escalate', 'bind', 'impersonate'];

/** What an account is, and may do: every verb on it holds those that grow. */
const ownRights: Strong = [
  ['rbac.authorization.k8s.io', ['roles', 'clusterroles']],
  ['', ['users', 'groups', 'serviceaccounts']],
];

/** The verbs of a rule by which an account gives itself more rights. */
export function growingVerbs(rule: Rights): readonly string[] {
  const more = rule.verbs.filter((verb) => growing.includes(verb));
  const isAny =
    rule.verbs.includes('*') && ownRights.some(([group, names]) => named(rule, group, names).length > 0);
  return isAny ? [...more, '*'] : more;
}

/**
 * What a rule gives of the rights of others: to act as another account, to get to pods past their proxies, to read
 * Secrets whose names it does not say, or to change what others may call
 * (https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks).
 */
export function rightsOfOthers(rule: Rights): readonly string[] {
  const given = (table: Strong, verbs: readonly string[]) =>
    allows(rule.verbs, verbs) ? table.flatMap(([group, names]) => named(rule, group, names)) : [];
  const isNamed = rule.resourceNames.length > 0;
  const found = [
    ...growingVerbs(rule),
    ...given(written, writing),
    ...given(opened, [...writing, ...reading]),
    ...(isNamed ? [] : given([['', ['secrets']]], reading)),
  ];
  return [...new Set(found)];
}

function allows(verbs: readonly string[], wanted: readonly string[]): boolean {
  return verbs.some((verb) => verb === '*' || wanted.includes(verb));
}

function named({ apiGroups, resources }: Rights, group: string, names: readonly string[]): readonly string[] {
  const holds = (all: readonly string[], name: string) => all.includes(name) || all.includes('*');
  if (!holds(apiGroups, group)) return [];
  return names.filter((name) => holds(resources, name) || resources.includes(name.replace(/^.*\//, '*/')));
}
