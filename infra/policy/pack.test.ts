import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { packRules as rules } from '../../charts/gates/rules/rules.ts';

// Generated for CommonJS, without names that an import could see.
const require = createRequire(import.meta.url);
const { AnalyzerClient } = require('@pulumi/pulumi/proto/analyzer_grpc_pb.js') as Grpc;
const { AnalyzeRequest, AnalyzerResourceOptions } =
  require('@pulumi/pulumi/proto/analyzer_pb.js') as Messages;
const { Empty } = require('google-protobuf/google/protobuf/empty_pb.js') as { Empty: new () => object };
const { Struct } = require('google-protobuf/google/protobuf/struct_pb.js') as {
  Struct: { fromJavaScript: (value: object) => unknown };
};

type Answer<T> = (error: Error | null, answer: { toObject(): T }) => void;
interface Info {
  readonly name: string;
  readonly version: string;
  readonly policiesList: readonly { readonly name: string; readonly enforcementlevel: number }[];
}
interface Diagnostics {
  readonly diagnosticsList: readonly { readonly policyname: string }[];
}
interface Analyzer {
  readonly getAnalyzerInfo: (request: object, answer: Answer<Info>) => void;
  readonly analyze: (request: object, answer: Answer<Diagnostics>) => void;
  readonly close: () => void;
}
interface Grpc {
  readonly AnalyzerClient: new (address: string, security: unknown) => Analyzer;
}
interface Messages {
  readonly AnalyzeRequest: new () => {
    readonly setType: (type: string) => void;
    readonly setUrn: (urn: string) => void;
    readonly setName: (name: string) => void;
    readonly setProperties: (properties: unknown) => void;
    readonly setOptions: (options: object) => void;
  };
  readonly AnalyzerResourceOptions: new () => object;
}

const mandatory = 1;

describe("the policy pack, run by Pulumi's runner", () => {
  let runner: ChildProcess;
  let analyzer: Analyzer;

  beforeAll(async () => {
    const run = require.resolve('@pulumi/pulumi/cmd/run-policy-pack');
    // As the engine starts it: in the pack's folder, with an address to call back, which nothing here calls.
    runner = spawn(process.execPath, [run, '127.0.0.1:1', import.meta.dirname], { cwd: import.meta.dirname });
    if (runner.stdout === null) throw new Error('the runner has no output');
    const [port] = (await once(runner.stdout, 'data')) as [Buffer];
    analyzer = new AnalyzerClient(`127.0.0.1:${port.toString().trim()}`, credentials.createInsecure());
  });
  afterAll(() => {
    analyzer.close();
    runner.kill();
  });

  /** The answer to a call. */
  const answerTo = <T>(call: (answer: Answer<T>) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      call((error, answer) => {
        if (error === null) resolve(answer.toObject());
        else reject(error);
      });
    });

  test('offers every rule, none of them as mere advice', async () => {
    const info = await answerTo<Info>((answer) => {
      analyzer.getAnalyzerInfo(new Empty(), answer);
    });
    expect([info.name, info.version]).toEqual(['meshwright', '1.0.0']);
    expect(info.policiesList.map(({ name, enforcementlevel }) => [name, enforcementlevel])).toEqual(
      rules.map(({ name }) => [name, mandatory]),
    );
  });

  test('refuses a resource that is against one, and looks at nothing but objects of Kubernetes', async () => {
    const spec = { type: 'LoadBalancer' };
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'open' }, spec };
    const judge = async (type: string) => {
      const request = new AnalyzeRequest();
      request.setType(type);
      request.setName('east/open');
      request.setUrn(`urn:pulumi:test::meshwright::${type}::east/open`);
      request.setProperties(Struct.fromJavaScript(object));
      request.setOptions(new AnalyzerResourceOptions());
      const { diagnosticsList } = await answerTo<Diagnostics>((answer) => {
        analyzer.analyze(request, answer);
      });
      return diagnosticsList.map(({ policyname }) => policyname);
    };
    expect(await judge('kubernetes:core/v1:Service')).toEqual(['known-sources']);
    expect(await judge('meshwright:infra:Stage')).toEqual([]);
  });
});
