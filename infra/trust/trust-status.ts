import type { KubeObject } from '../kube/kube-object.ts';
import { readCacerts } from './objects.ts';
import { parseCertificates } from './pem.ts';
import { describeTrust, readTrustState } from './state.ts';

/** The trust of a cluster as `status --json` prints it. */
export interface TrustStatus {
  /** `generation 2, phase re-issue, intermediate 1`: what the proxies are brought to. */
  readonly state: string;
  /** End of the validity of the trusted root that ends first, ISO 8601. */
  readonly rootNotAfter: string;
  /** What ends soon, and what to do about it. */
  readonly warning: string | null;
}

const day = 24 * 60 * 60 * 1000;
/** A quarter of an intermediate's life, and time enough for three reviewed phases of a root's end. */
const intermediateDays = 90;
const rootDays = 365;
/** cert-manager renews 90 days before the end: 30 days later, renewal is blocked. */
const issuedDays = 60;

/** What a live Secret `cacerts` says about the cluster's trust; null when there is none, or none that can be read. */
export function trustStatus(cacerts: KubeObject | undefined, now = new Date()): TrustStatus | null {
  if (cacerts === undefined) return null;
  const held = readCacerts(cacerts);
  const [signer] = parseCertificates(held.certificate) ?? [];
  const ends = (parseCertificates(held.roots) ?? []).map(({ validToDate }) => validToDate.getTime());
  if (signer === undefined || ends.length === 0) return null;
  const state = readTrustState(cacerts);
  const root = new Date(Math.min(...ends));
  const daysTo = (end: Date) => Math.floor((end.getTime() - now.getTime()) / day);
  const whenOf = (end: Date) => ending(end.getTime() - now.getTime());
  const warnings = [
    ...(daysTo(signer.validToDate) < (state.issuer === undefined ? intermediateDays : issuedDays)
      ? [
          state.issuer === undefined
            ? `its CA ${whenOf(signer.validToDate)}: raise trust.intermediate to ${state.intermediate + 1}`
            : `its CA ${whenOf(signer.validToDate)}: cert-manager should have renewed it, look at the status of Certificate cacerts`,
        ]
      : []),
    // In a rotation the old root is on its way out.
    ...(daysTo(root) < rootDays && ends.length === 1
      ? [
          state.issuer === undefined
            ? `its root CA ${whenOf(root)}: begin with trust.generation ${state.generation + 1}, phase add-root`
            : `its root CA ${whenOf(root)}, and cannot be changed in a mesh whose CAs an issuer signs (docs/trust.md)`,
        ]
      : []),
  ];
  return {
    state: describeTrust(state),
    rootNotAfter: root.toISOString(),
    warning: warnings.length === 0 ? null : warnings.join('; '),
  };
}

/** When a validity ends, from the milliseconds left of it, in whole days: `ends in 2 days`, `ended 2 days ago`. */
function ending(left: number): string {
  const days = Math.floor(Math.abs(left) / day);
  if (days === 0) return left > 0 ? 'ends within a day' : 'ended less than a day ago';
  const count = `${days} ${days === 1 ? 'day' : 'days'}`;
  return left > 0 ? `ends in ${count}` : `ended ${count} ago`;
}
