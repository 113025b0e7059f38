import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isSource, productFolder } from '../../core/product.ts';

/** Folder of the app that translates HTTP with JSON into gRPC, at the edge or beside a service. */
export const gatewayApp = 'apps/gateway';

/** Whether the gateway is an installed package: then it is an app of every project, and in the folder of none. */
export const isGatewayInstalled = !isSource;

/**
 * Where an app's files are: in the project, or where npm installed the gateway.
 * @param directory - relative to the project's root: `apps/catalog`
 */
export function appFolder(root: string, directory: string): string {
  if (directory !== gatewayApp || !isGatewayInstalled) return join(root, directory);
  const { resolve } = createRequire(join(productFolder, 'package.json'));
  return dirname(resolve('@meshwright/gateway/package.json'));
}
