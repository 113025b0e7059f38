// What the Pulumi program of a project of its own imports, and how it is previewed.

/** In place of a team's own component: clusters and a registry that are not there yet. */
export const cloud = `import * as pulumi from '@pulumi/pulumi';

class Managed extends pulumi.CustomResource {
  declare readonly kubeconfig: pulumi.Output<string>;
  declare readonly host: pulumi.Output<string>;
  constructor(name: string, parent: pulumi.Resource) {
    super('cloud:index:Managed', name, { kubeconfig: undefined, host: undefined }, { parent });
  }
}

export class Cloud extends pulumi.ComponentResource {
  readonly registry: pulumi.Output<string>;
  readonly kubeconfigs: Readonly<Record<'east' | 'west', pulumi.Output<string>>>;
  constructor(name: string) {
    super('acme:index:Cloud', name);
    this.registry = new Managed('registry', this).host;
    this.kubeconfigs = {
      east: new Managed('east', this).kubeconfig,
      west: new Managed('west', this).kubeconfig,
    };
  }
}
`;

/** Runs the project's program as a preview, by Pulumi's mocks, and prints each Deployment's name with the image of its app. */
export const preview = (istioctl: string) => `import * as pulumi from '@pulumi/pulumi';

await pulumi.runtime.setMocks(
  {
    call: ({ inputs }) => inputs,
    newResource: ({ type, name, inputs }) => {
      if (type === 'kubernetes:apps/v1:Deployment')
        console.log(name, inputs.spec?.template?.spec?.containers?.[0]?.image ?? '');
      return { id: name, state: inputs };
    },
  },
  'acme',
  'prod',
  true,
);
pulumi.runtime.setAllConfig({ 'meshwright:istioctl': ${JSON.stringify(istioctl)} });
console.warn = console.log;
await import('./infra/index.ts');
await pulumi.runtime.disconnect();
`;
