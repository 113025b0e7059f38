import type { EdgeModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { shellWord } from '../../core/shell.ts';
import { isHealthy, type MeshStatus } from '../../infra/status/mesh-status.ts';
import { command, wrap } from './layout.ts';
import type { UpRecord } from '../workspace/record.ts';
import { formatStatus, verdict } from './status-text.ts';

/** What `up` knows when it has come to its end. */
export interface Ending {
  readonly model: MeshModel;
  readonly record: UpRecord;
  readonly status: MeshStatus;
  /** Claims that real calls have proved, each with what was seen. They are told while they are made: only counted here. */
  readonly proved: readonly string[];
  /** What else is to be said of proofs, a line each: `not proved: ...`, and how it would be. */
  readonly remarks: readonly string[];
  /** What applying the mesh has changed. */
  readonly applied: string;
  /** How long `up` took, in seconds. */
  readonly seconds: number;
}

/**
 * The last lines of `up`: healthy or not (then with the tables of `status`), what was proved and changed, and what to
 * try next. No line is over 80 columns but for URLs and paths that are longer by themselves.
 */
export function formatEnding(ending: Ending): string {
  const { model, record, status, proved, remarks, applied, seconds } = ending;
  const healthy = isHealthy(status);
  const claims = proved.length === 1 ? 'the claim' : `the ${proved.length} claims`;
  const next: readonly Section[] = [
    ...(healthy
      ? [
          { title: 'call it through the ingress gateway of each cluster:', lines: calling(model, status) },
          { title: 'read its HTTP API in a browser:', lines: pages(model, status) },
        ]
      : [{ title: 'try again:', lines: ['    npm run up'] }]),
    kubectl(model, record),
    ...(healthy ? [{ title: 'add a service:', lines: ['    npm run new -- NAME'] }] : []),
    { title: 'see its state:', lines: ['    npm run status'] },
  ];
  return [
    ...(healthy ? verdict(status) : [formatStatus(status), '']),
    ...(proved.length === 0 ? [] : [`proved by real calls: ${claims} above`]),
    ...remarks.flatMap((remark) => wrap(remark, '', '  ')),
    ...wrap(`${applied}; ${seconds} s in all`, '', '  '),
    '',
    'Next:',
    ...next.flatMap(({ title, lines }) => (lines.length === 0 ? [] : [...wrap(title, '  ', '  '), ...lines])),
  ].join('\n');
}

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

const indent = '    ';

/** A call that works, or one with variables in capitals, of each edge by each ingress gateway. */
function calling(model: MeshModel, status: MeshStatus): readonly string[] {
  const calls = edgesOf(model).flatMap((edge) =>
    ingressesOf(status).flatMap((ingress) => {
      const words = curl(edge, ingress);
      return words === undefined ? [] : [command(words, indent).join('\n')];
    }),
  );
  return [...new Set(calls)];
}

/** The words of a `curl` command; undefined where there is no GET, or no way to say it without DNS. */
function curl({ example, hosts, tls }: EdgeModel, ingress: URL): readonly string[] | undefined {
  if (example === undefined) return undefined;
  const { path, token } = example;
  const host = nameOf(hosts);
  const authorization = token ? ['--header "authorization: Bearer $TOKEN"'] : [];
  if (!tls) {
    const named = host === undefined ? [] : [`--header ${shellWord(`host: ${host}`)}`];
    return ['curl', ...named, ...authorization, new URL(path, ingress).href];
  }
  // Which port of a node leads to the gateway's HTTPS port is not known.
  const isBalanced = ingress.port === '';
  if (host === undefined) {
    // No certificate is for an address.
    return isBalanced
      ? ['curl --insecure', ...authorization, `https://${ingress.hostname}${path}`]
      : undefined;
  }
  const reached = isBalanced ? [`--connect-to ${shellWord(`::${ingress.hostname}:443`)}`] : [];
  return ['curl', ...reached, ...authorization, `https://${host}${path}`];
}

/** The address of each edge's page; by the first ingress gateway where the edge has no host of its own. */
function pages(model: MeshModel, status: MeshStatus): readonly string[] {
  const [ingress] = ingressesOf(status);
  if (ingress === undefined) return [];
  return edgesOf(model)
    .filter(({ openapi }) => openapi)
    .map(({ hosts, tls }) => {
      const scheme = tls ? 'https' : 'http';
      const authority = nameOf(hosts) ?? (tls ? ingress.hostname : ingress.host);
      return `${indent}${scheme}://${authority}/docs`;
    });
}

/** How kubectl gets to the clusters: by the lab's kubeconfig, or by the contexts that `up` was given. */
function kubectl(model: MeshModel, { lab, access }: UpRecord): Section {
  const contexts = Object.entries(access);
  const [first] = contexts;
  if (lab && first !== undefined) {
    const names = contexts.map(([, { context }]) => context).join(', ');
    return {
      title: `look inside with kubectl, contexts ${names}:`,
      lines: command(['export', `KUBECONFIG=${shellWord(first[1].kubeconfig)}`], indent),
    };
  }
  const [namespace] = model.namespaces;
  const of = namespace === undefined ? [] : [`--namespace ${namespace}`];
  return {
    title: 'look inside with kubectl:',
    lines: contexts.flatMap(([, { context }]) =>
      command(['kubectl', `--context ${shellWord(context)}`, ...of, 'get pods'], indent),
    ),
  };
}

function edgesOf({ workloads }: MeshModel): readonly EdgeModel[] {
  return workloads.flatMap(({ edge }) => (edge === undefined ? [] : [edge]));
}

function ingressesOf({ clusters }: MeshStatus): readonly URL[] {
  return Object.values(clusters).flatMap(({ ingress }) => (ingress === null ? [] : [new URL(ingress)]));
}

/** The first host that has to be named; undefined where any does. */
function nameOf(hosts: readonly string[]): string | undefined {
  return hosts.find((host) => host !== '*');
}
