import type { AppConfig } from '../apps/config/app-config.ts';
import type { BundledPackage } from './bundle.ts';
import type { LockedBase } from './lock.ts';
import { json } from './oci.ts';

/**
 * The bill of materials of an app's image (CycloneDX 1.6, JSON; https://cyclonedx.org/docs/1.6/json/): the npm
 * packages whose code is in the bundle, Node, and the Debian packages of the base. It has neither time nor serial
 * number, so that the same image has the same bill.
 */
export function sbomOf(
  { name, image }: Pick<AppConfig, 'name' | 'image'>,
  digest: string,
  packages: readonly BundledPackage[],
  base: Pick<LockedBase, 'node' | 'packages' | 'distribution'>,
): Uint8Array {
  const self = `pkg:oci/${name}@${encodeURIComponent(digest)}`;
  const components = [
    ...packages.map(npmComponent),
    {
      type: 'platform',
      name: 'node',
      version: base.node,
      'bom-ref': `pkg:generic/node@${base.node}`,
      purl: `pkg:generic/node@${base.node}`,
      cpe: `cpe:2.3:a:nodejs:node.js:${base.node}:*:*:*:*:*:*:*`,
      licenses: [{ license: { id: 'MIT' } }],
    },
    ...Object.entries(base.packages).map(([deb, { file, hash }]) =>
      debianComponent(deb, file, hash, base.distribution),
    ),
  ];
  return json({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'container',
        name,
        version: image.version,
        description: image.description,
        'bom-ref': self,
        purl: self,
      },
    },
    components,
    dependencies: [{ ref: self, dependsOn: components.map((component) => component['bom-ref']) }],
  });
}

function npmComponent({ name, version, license }: BundledPackage) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const licenses = license === undefined ? {} : { licenses: [licence(license)] };
  return { type: 'library', name, version, 'bom-ref': purl, purl, ...licenses };
}

/** CycloneDX distinguishes one licence from an expression of several. */
function licence(text: string) {
  return /\s/.test(text) ? { expression: text } : { license: { id: text } };
}

function debianComponent(name: string, file: string, hash: string, distribution: string) {
  const [, version = '', rest = ''] = file.split('_').map(decodeURIComponent);
  const [vendor = ''] = distribution.split('-');
  const query = `arch=${rest.replace(/\.deb$/, '')}&distro=${distribution}`;
  const purl = `pkg:deb/${vendor}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?${query}`;
  // The hash of the package file; the image contains it unpacked.
  const properties = [{ name: 'meshwright:package-hash', value: hash }];
  return { type: 'library', name, version, 'bom-ref': purl, purl, properties };
}
