import { implement } from '../../apps/runtime/handlers.ts';
import { runService } from '../../apps/runtime/run.ts';
import { TestService } from '../../gen/grpc/testing/test_pb.js';
import { testService } from './service.ts';

await runService('interop', {}, () => [implement(TestService, testService)]);
