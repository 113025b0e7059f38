import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { implement } from '../runtime/handlers.ts';
import { runService } from '../runtime/run.ts';
import { inventoryHandlers } from './handlers.ts';
import { sampleStock } from './sample.ts';
import { memoryInventory } from './store.ts';

await runService('inventory', {}, () => [
  implement(InventoryService, inventoryHandlers(memoryInventory(sampleStock))),
]);
