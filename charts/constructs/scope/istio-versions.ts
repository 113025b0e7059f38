/**
 * The minor versions of Istio 1 that a control plane may have. The newest is that of the pinned istioctl, whose charts
 * every release is rendered with; the oldest is two before it, as far as Istio supports proxies and a control plane to be
 * apart (https://istio.io/latest/docs/releases/supported-releases/#control-planedata-plane-skew).
 */
export const supportedIstio = { oldest: 29, newest: 31 } as const;

/** What {@link unsupportedIstio} accepts, in words for an error's `allowed`. */
export const supportedIstioRule = `a tag of Istio 1.${supportedIstio.oldest} to 1.${supportedIstio.newest}, such as 1.${supportedIstio.oldest}.2`;

/** What is wrong with an image tag as a version of Istio: `1.30.1` and `1.30.1-distroless` have one. */
export function unsupportedIstio(tag: string): string | undefined {
  const found = /^(\d+)\.(\d+)(?![0-9])/.exec(tag);
  if (found === null) return 'is not the tag of an Istio version';
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major < 1 || (major === 1 && minor < supportedIstio.oldest))
    return 'is older than the oldest supported Istio';
  if (major > 1 || minor > supportedIstio.newest) return 'is newer than the newest supported Istio';
  return undefined;
}
