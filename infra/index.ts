import { join } from 'node:path';
import shop from '../mesh.ts';
import { runStack } from './pulumi/index.ts';

// The Pulumi program of the sample mesh. Pulumi runs it in this folder, with the stack's configuration.

/** The stack's outputs: the trust domain, and by cluster its context, its gateways' addresses and the end of its CA. */
export const { trustDomain, clusters } = await runStack(shop, join(import.meta.dirname, '..'));
