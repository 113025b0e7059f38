import { CatalogService } from '../../../../gen/test/catalog/v1/catalog_pb.js';
import { implement } from '../../../runtime/handlers.ts';
import { runService } from '../../../runtime/run.ts';
import { catalogHandlers } from './handlers.ts';

await runService('catalog', {}, () => [implement(CatalogService, catalogHandlers)]);
