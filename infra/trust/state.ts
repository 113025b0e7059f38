import type { Problem } from '../../core/problem.ts';
import { text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { IssuerReference, TrustSettings } from '../plan/stack-config.ts';
import { certManager, describeIssuer } from './issuer.ts';

/** The three steps from one root CA to the next one. */
const phases = ['add-root', 're-issue', 'drop-root'] as const;

/** What a mesh starts with. */
export const initialTrust: TrustSettings = { generation: 1, intermediate: 1 };

/** Generations of the roots that are trusted; the one that signs comes first. */
export function trustedGenerations({ generation, phase }: TrustSettings): readonly number[] {
  if (phase === 'add-root') return [generation - 1, generation];
  return phase === 're-issue' ? [generation, generation - 1] : [generation];
}

/** `generation 2, phase re-issue, intermediate 1`, or `ClusterIssuer mesh-ca` */
export function describeTrust({ generation, phase, intermediate, issuer }: TrustSettings): string {
  if (issuer !== undefined) return describeIssuer(issuer);
  const step = phase === undefined ? '' : `, phase ${phase}`;
  return `generation ${generation}${step}, intermediate ${intermediate}`;
}

const annotation = {
  generation: 'meshwright/trust-generation',
  phase: 'meshwright/trust-phase',
  intermediate: 'meshwright/trust-intermediate',
} as const;

/** What the Secret `cacerts` says about the state that it is of. */
export function trustAnnotations({ generation, phase, intermediate }: TrustSettings): Record<string, string> {
  return {
    [annotation.generation]: String(generation),
    ...(phase === undefined ? {} : { [annotation.phase]: phase }),
    [annotation.intermediate]: String(intermediate),
  };
}

/** The state that a live Secret `cacerts` is of: one without annotations is from before there was a second. */
export function readTrustState(cacerts: KubeObject): TrustSettings {
  const note = (name: string) => text(cacerts, 'metadata', 'annotations', name);
  const number = (name: string) => {
    const value = Number(note(name) ?? '1');
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

/** The issuer that cert-manager names in the Secret it made (https://cert-manager.io/docs/reference/annotations/). */
export function issuerOf(cacerts: KubeObject): IssuerReference | undefined {
  const note = (name: string) => text(cacerts, 'metadata', 'annotations', `cert-manager.io/${name}`);
  const name = note('issuer-name');
  if (name === undefined || note('certificate-name') === undefined) return undefined;
  return { name, kind: note('issuer-kind') ?? 'Issuer', group: note('issuer-group') ?? certManager.group };
}

/** What is wrong with the configuration alone. */
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
 * Whether a cluster may go from its state to the wanted one: it stays, or goes one phase on. In a skipped or reversed phase
 * proxies would meet certificates of a root that they do not trust.
 */
export function stepProblem(where: string, live: TrustSettings, wanted: TrustSettings): Problem | undefined {
  const ahead = rank(wanted) - rank(live);
  const received = describeTrust(wanted);
  const next = nextStep(live);
  const allowed = `${describeTrust(live)} as it is now, a higher intermediate, or ${next}`;
  if (ahead < 0) {
    return { where, what: 'its trust goes through the phases forward only', received, allowed };
  }
  if (ahead > 1) {
    return {
      where,
      what: 'its trust goes through the phases one by one, and one is left out: calls would fail',
      received,
      allowed,
      fix: `set ${next} first`,
    };
  }
  const sameSigner = trustedGenerations(wanted)[0] === trustedGenerations(live)[0];
  if (sameSigner && wanted.intermediate < live.intermediate) {
    return { where, what: 'an earlier intermediate CA does not come back', received, allowed };
  }
  return undefined;
}

/** Whether a cluster in this state has to go through a phase to be in the wanted one. */
export function isPhase(live: TrustSettings, wanted: TrustSettings): boolean {
  return rank(live) !== rank(wanted);
}

/** States in their order; a generation without a phase is the end of its last phase. */
function rank({ generation, phase }: TrustSettings): number {
  return 3 * generation - (phase === 'add-root' ? 2 : phase === 're-issue' ? 1 : 0);
}

function nextStep({ generation, phase }: TrustSettings): string {
  if (phase === 'add-root') return `generation ${generation}, phase re-issue`;
  if (phase === 're-issue') return `generation ${generation}, phase drop-root`;
  return `generation ${generation + 1}, phase add-root`;
}
