import { join } from 'node:path';
import { productFolder } from '../core/product.ts';

/** What pins the tools: go.mod, go.sum, wheels.txt, and the main packages of our own. */
export const toolchainFolder = join(productFolder, 'toolchain');
