import type { Problem } from '../../core/problem.ts';
import { text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { IssuerReference, TrustSettings } from '../plan/stack-config.ts';
import { describeVolume } from './ca-volume.ts';
import { certManager, describeIssuer } from './issuer.ts';

/** The three steps from one root CA to the next one. */
const phases = ['add-root', 're-issue', 'drop-root'] as const;

/** The trust settings that a mesh starts with. */
export const initialTrust: TrustSettings = { generation: 1, intermediate: 1 };

/** Generations of the roots that are trusted; the one that signs comes first. */
export function trustedGenerations({ generation, phase }: TrustSettings): readonly number[] {
  if (phase === 'add-root') return [generation - 1, generation];
  return phase === 're-issue' ? [generation, generation - 1] : [generation];
}

/** `generation 2, phase re-issue, intermediate 1`, `ClusterIssuer mesh-ca`, or `CSI driver secrets-store.csi.k8s.io` */
export function describeTrust({ generation, phase, intermediate, issuer, csi }: TrustSettings): string {
  if (issuer !== undefined) return describeIssuer(issuer);
  if (csi !== undefined) return describeVolume(csi);
  const step = phase === undefined ? '' : `, phase ${phase}`;
  return `generation ${generation}${step}, intermediate ${intermediate}`;
}

const annotation = {
  generation: 'meshwright/trust-generation',
  phase: 'meshwright/trust-phase',
  intermediate: 'meshwright/trust-intermediate',
} as const;

/** Annotations of the Secret `cacerts` that record its trust state. */
export function trustAnnotations({ generation, phase, intermediate }: TrustSettings): Record<string, string> {
  return {
    [annotation.generation]: String(generation),
    ...(phase === undefined ? {} : { [annotation.phase]: phase }),
    [annotation.intermediate]: String(intermediate),
  };
}

/** The trust state of a live Secret `cacerts`; without annotations it is the initial state. */
export function readTrustState(cacerts: KubeObject): TrustSettings {
  const note = (name: string) => text(cacerts, 'metadata', 'annotations', name);
  const number = (name: string) => {
    const value = Number(note(name));
    return Number.isInteger(value) && value > 0 ? value : 1;
  };
  const phase = phases.find((name) => name === note(annotation.phase));
  const issuer = issuerOf(cacerts);
  return {
    ...(issuer && { issuer }),
    generation: number(annotation.generation),
    ...(phase === undefined ? {} : { phase }),
    intermediate: number(annotation.intermediate),
  };
}

/** The issuer that cert-manager records in the Secret it created (https://cert-manager.io/docs/reference/annotations/). */
export function issuerOf(cacerts: KubeObject): IssuerReference | undefined {
  const note = (name: string) => text(cacerts, 'metadata', 'annotations', `cert-manager.io/${name}`);
  const name = note('issuer-name');
  if (name === undefined || note('certificate-name') === undefined) return undefined;
  return { name, kind: note('issuer-kind') ?? 'Issuer', group: note('issuer-group') ?? certManager.group };
}

/** Problems of the configuration itself. */
export function configProblems({ generation, phase }: TrustSettings): readonly Problem[] {
  if (phase === undefined || generation > 1) return [];
  return [
    {
      where: 'trust.phase',
      what: 'there is no root CA before generation 1 that the mesh could move from',
      received: phase,
      fix: 'raise trust.generation to 2, or leave trust.phase out',
    },
  ];
}

/**
 * The problem when a cluster may not move from its state to the wanted one: it may stay, or move one phase forward. With a
 * skipped or reversed phase, proxies would see certificates of a root that they do not trust.
 */
export function stepProblem(where: string, live: TrustSettings, wanted: TrustSettings): Problem | undefined {
  const ahead = rank(wanted) - rank(live);
  const received = describeTrust(wanted);
  const next = nextStep(live);
  const allowed = `${describeTrust(live)} as it is now, a higher intermediate, or ${next}`;
  if (ahead < 0) {
    return { where, what: 'trust phases can only move forward', received, allowed };
  }
  if (ahead > 1) {
    return {
      where,
      what: 'trust phases have to be taken one at a time, and this skips one: calls would fail',
      received,
      allowed,
      fix: `set ${next} first`,
    };
  }
  const sameSigner = trustedGenerations(wanted)[0] === trustedGenerations(live)[0];
  if (sameSigner && wanted.intermediate < live.intermediate) {
    return {
      where,
      what: 'trust.intermediate can only increase: an earlier intermediate CA is never used again',
      received,
      allowed,
    };
  }
  return undefined;
}

/** Whether the wanted state is another phase than this one. */
export function isPhase(live: TrustSettings, wanted: TrustSettings): boolean {
  return rank(live) !== rank(wanted);
}

/** Position of a state in the order of phases; a generation without a phase is at its last phase. */
function rank({ generation, phase }: TrustSettings): number {
  return 3 * generation - (phase === 'add-root' ? 2 : phase === 're-issue' ? 1 : 0);
}

function nextStep({ generation, phase }: TrustSettings): string {
  if (phase === 'add-root') return `generation ${generation}, phase re-issue`;
  if (phase === 're-issue') return `generation ${generation}, phase drop-root`;
  return `generation ${generation + 1}, phase add-root`;
}
