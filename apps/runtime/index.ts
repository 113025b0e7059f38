/**
 * What a gRPC service is written with. docs/services.md shows each part.
 * @packageDocumentation
 */
export {
  openChannel,
  serviceClient,
  type Caller,
  type CallOptions,
  type Channel,
  type ServiceClient,
  type StreamOptions,
} from './client.ts';
export { address, integer, list, text } from './env.ts';
export { implement, type CallContext, type Handler, type Handlers, type Implementation } from './handlers.ts';
export type { Logger } from './log.ts';
export { readPage, type Page } from './paging.ts';
export { runProgram, runService, type Drainable } from './run.ts';
export { Changes, type Subscription } from './server/changes.ts';
export { detail, findDetail, StatusError, statusError } from './status.ts';
