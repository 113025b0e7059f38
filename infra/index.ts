import * as pulumi from '@pulumi/pulumi';
import { join } from 'node:path';
import shop from '../mesh.ts';
import { runProgram } from './pulumi/mesh-program.ts';

// The Pulumi program of the sample mesh. Pulumi runs it in this folder, with the stack's configuration.
const config = new pulumi.Config();
const root = join(import.meta.dirname, '..');

/** The stack's outputs: the trust domain, and by cluster its context, its gateways' addresses and the end of its CA. */
export const { trustDomain, clusters } = await runProgram(
  shop.mesh({ root, environment: 'lab' }),
  root,
  (key) => config.get(key),
  (line) => {
    // Ephemeral: shown while it happens, not kept with the update.
    void pulumi.log.info(line, undefined, undefined, true);
  },
);
