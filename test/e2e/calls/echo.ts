import { readFileSync } from 'node:fs';
import type { KubernetesObject } from '../../../charts/model/mesh-model.ts';

/** What the echo server answers to, in its own file: echo-program.cjs. */
const program = readFileSync(new URL('./echo-program.cjs', import.meta.url), 'utf8');

interface Container {
  readonly name: string;
}

interface Deployment extends KubernetesObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

/**
 * For `applyVariant`: every Deployment of a namespace runs the echo server in the place of its app, in the app's own
 * image, identity and environment. The mesh around it stays as rendered.
 */
export function echoIn(namespace: string): (object: KubernetesObject) => KubernetesObject {
  return runIn(namespace, ['/usr/bin/node', '-e', program]);
}

/** Like {@link echoIn}, with any command of the app's image. */
export function runIn(
  namespace: string,
  command: readonly string[],
): (object: KubernetesObject) => KubernetesObject {
  return (object) => {
    if (object.kind !== 'Deployment' || object.metadata.namespace !== namespace) return object;
    const { spec } = object as Deployment;
    const containers = spec.template.spec.containers.map((container) =>
      container.name === 'http-gateway' ? container : { ...container, command },
    );
    return {
      ...object,
      spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } },
    };
  };
}
