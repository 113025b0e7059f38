import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseDeclaration } from '../charts/declare.ts';
import { runStack } from './pulumi/index.ts';

// The Pulumi program of this checkout. Pulumi runs it in this folder, with the stack's configuration.

const root = join(import.meta.dirname, '..');

// By its path: the program is the same for any mesh.ts, and type-checks without one.
const module = (await import(pathToFileURL(join(root, 'mesh.ts')).href)) as { readonly default?: unknown };

/** The stack's outputs: the trust domain, and by cluster its context, its gateways' addresses and the end of its CA. */
export const { trustDomain, clusters } = await runStack(parseDeclaration(module.default), root);
