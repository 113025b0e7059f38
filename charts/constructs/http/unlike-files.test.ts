import { expect, test } from '@jest/globals';
import { clone, create, createFileRegistry, fromJson, setExtension } from '@bufbuild/protobuf';
import type { DescFile, DescService } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { formatProblem } from '../../../core/problem.ts';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';
import { lab } from '../../platforms.ts';
import { clusters, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { Mesh } from '../mesh.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { GatewayDescriptors } from './gateway-descriptors.ts';

/** A service of a file of its own. */
function served(
  name: string,
  messages: readonly string[],
  { pkg = 'test', file = `test/${name.toLowerCase()}.proto`, imports = [] as readonly DescFile[] } = {},
): DescService {
  const proto = fromJson(FileDescriptorProtoSchema, {
    ...{ name: file, package: pkg, syntax: 'proto3' },
    dependency: imports.map((each) => each.proto.name),
    messageType: [`${name}Message`, ...messages].map((each) => ({ name: each })),
    service: [
      {
        name,
        method: [{ name: 'Call', inputType: `.${pkg}.${name}Message`, outputType: `.${pkg}.${name}Message` }],
      },
    ],
  });
  const options = create(MethodOptionsSchema);
  setExtension(
    options,
    http,
    create(HttpRuleSchema, { pattern: { case: 'get', value: `/v1/${name.toLowerCase()}` } }),
  );
  proto.service[0]!.method[0]!.options = options;
  const registry = createFileRegistry(proto, (path) => imports.find((each) => each.proto.name === path));
  return registry.getService(`${pkg}.${name}`)!;
}

const problems = (...services: readonly DescService[]) =>
  new GatewayDescriptors(services, {}).problems('here', 'expose fewer').map(formatProblem);

test('two unlike files of one name are refused', () => {
  const file = 'test/shared.proto';
  expect(problems(served('One', [], { file }), served('Two', [], { file }))).toEqual([
    'here: two proto files that the services of one HTTP gateway need have this name, and differ; ' +
      'received "test/shared.proto"; fix: rename one of the two, or expose fewer',
  ]);
});

test('two files of other names that declare one message are refused, at synth too', () => {
  const services = [served('One', ['Money']), served('Two', ['Money'])];
  const told = (where: string, fewer: string) =>
    `${where}: two proto files that the services of one HTTP gateway need declare this: test/one.proto and test/two.proto; ` +
    `received "test.Money"; fix: rename one of the two, or ${fewer}`;
  expect(problems(...services)).toEqual([told('here', 'expose fewer')]);
  const app = (name: string) => ({ services: [`test.${name}`], ports: { grpc: 50_051 } });
  withProject({ one: app('One'), two: app('Two') }, (root) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
    const namespace = mesh.namespace('shop');
    const expose = services.map(
      (service, index) =>
        new GrpcService(namespace, ['one', 'two'][index]!, {
          app: `apps/${['one', 'two'][index]!}`,
          service,
        }),
    );
    new HttpEdge(namespace, 'edge', { expose, hosts: ['shop.example'] });
    expect(problemsOf(mesh)).toEqual([
      told('demo/shop/edge: expose', 'expose some of the services at another HttpEdge'),
    ]);
  });
});

test('a type that every gateway has is refused in another file', () => {
  expect(problems(served('Checks', ['Status'], { pkg: 'google.rpc' }))).toEqual([
    'here: a proto file that services of an HTTP gateway need, test/checks.proto, declares this, as does google/rpc/status.proto, ' +
      'which every gateway has; received "google.rpc.Status"; fix: rename it in test/checks.proto, or expose fewer',
  ]);
});

test('a file of the name of one that every gateway has is refused where it declares more', () => {
  const proto = clone(FileDescriptorProtoSchema, file_buf_validate_validate.proto);
  proto.messageType.push({ ...proto.messageType[0]!, name: 'NewRules' });
  const { dependencies } = file_buf_validate_validate;
  const registry = createFileRegistry(proto, (path) => dependencies.find((each) => each.proto.name === path));
  const newer = registry.getFile(proto.name)!;
  expect(problems(served('Checks', [], { imports: [newer] }))).toEqual([
    'here: services of an HTTP gateway need this of another buf/validate/validate.proto than every gateway has, ' +
      'which lacks it or has it otherwise; received "buf.validate.NewRules"; ' +
      'fix: generate the code of these services with the buf/validate/validate.proto that the gateway has, or expose fewer',
  ]);
});
