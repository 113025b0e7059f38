import { describeVolume } from './ca-volume.ts';
import type { LiveCa } from './live-ca.ts';
import { parseCertificates } from './pem.ts';
import { describeTrust } from './state.ts';

/** The trust of a cluster as `status --json` prints it. */
export interface TrustStatus {
  /** `generation 2, phase re-issue, intermediate 1`: what the proxies are brought to. */
  readonly state: string;
  /** End of the validity of the trusted root that ends first, ISO 8601. */
  readonly rootNotAfter: string;
  /** What ends soon, and what to do about it. */
  readonly warning: string | null;
  /** Whether the key of the CA is in a Secret of the cluster, and so in reach of who may list these. */
  readonly keyInSecret: boolean;
}

const day = 24 * 60 * 60 * 1000;
/** A quarter of an intermediate's life, and time enough for three reviewed phases of a root's end. */
const intermediateDays = 90;
const rootDays = 365;
/** cert-manager renews 90 days before the end: 30 days later, renewal is blocked. What is in a volume is renewed by others, too. */
const issuedDays = 60;

/**
 * What is known of a cluster's trust; null when it has no CA, or none that can be read.
 * @param signerEnd - end of the validity of the CA that signs
 */
export function trustStatus(
  ca: LiveCa | undefined,
  signerEnd: Date | undefined,
  now = new Date(),
): TrustStatus | null {
  if (ca === undefined) return null;
  const { state } = ca;
  const ends = (parseCertificates(ca.roots) ?? []).map(({ validToDate }) => validToDate.getTime());
  if (ends.length === 0 || (signerEnd === undefined && ca.certificate !== undefined)) return null;
  const root = new Date(Math.min(...ends));
  const daysTo = (end: Date) => Math.floor((end.getTime() - now.getTime()) / day);
  const whenOf = (end: Date) => ending(end.getTime() - now.getTime());
  const isOurs = state.issuer === undefined && state.csi === undefined;
  const warnings = [
    ...(signerEnd !== undefined && daysTo(signerEnd) < (isOurs ? intermediateDays : issuedDays)
      ? [`its CA ${whenOf(signerEnd)}: ${renewal(ca)}`]
      : []),
    // In a rotation the old root is on its way out.
    ...(daysTo(root) < rootDays && ends.length === 1 ? [`its root CA ${whenOf(root)}${nextRoot(ca)}`] : []),
  ];
  return {
    state: describeTrust(state),
    rootNotAfter: root.toISOString(),
    warning: warnings.length === 0 ? null : warnings.join('; '),
    keyInSecret: state.csi === undefined,
  };
}

function renewal({ state }: LiveCa): string {
  if (state.issuer !== undefined)
    return 'cert-manager should have renewed it, look at the status of Certificate cacerts';
  return state.csi === undefined
    ? `raise trust.intermediate to ${state.intermediate + 1}`
    : `renew it where the ${describeVolume(state.csi)} gets it from`;
}

function nextRoot({ state }: LiveCa): string {
  if (state.issuer !== undefined)
    return ', and cannot be changed in a mesh whose CAs an issuer signs (docs/trust.md)';
  return state.csi === undefined
    ? `: begin with trust.generation ${state.generation + 1}, phase add-root`
    : `: replace it where the ${describeVolume(state.csi)} gets it from (docs/trust.md)`;
}

/** When a validity ends, from the milliseconds left of it, in whole days: `ends in 2 days`, `ended 2 days ago`. */
function ending(left: number): string {
  const days = Math.floor(Math.abs(left) / day);
  if (days === 0) return left > 0 ? 'ends within a day' : 'ended less than a day ago';
  const count = `${days} ${days === 1 ? 'day' : 'days'}`;
  return left > 0 ? `ends in ${count}` : `ended ${count} ago`;
}
