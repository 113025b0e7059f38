import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parse } from 'yaml';
import { findPulumi } from './find-pulumi.ts';
import { downWithPulumi, upWithPulumi } from './pulumi-engine.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { problemOf } from '../testing/problems.ts';

let folder: string;
let lines: string[];
const path = process.env['PATH'];

/** A `pulumi` that reports its version and otherwise runs the script with the command's arguments. */
function installPulumi(script: string, version = 'v3.248.0'): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'pulumi'), `#!/bin/sh\n[ "$1" = version ] && echo ${version} && exit\n${script}\n`);
  chmodSync(join(bin, 'pulumi'), 0o755);
  process.env['PATH'] = [bin, path].join(delimiter);
}
const options = () => ({
  root: join(folder, 'root'),
  stateDir: join(folder, 'state'),
  stack: 'lab',
  environment: 'lab',
  report: (line: string) => lines.push(line),
});
const config = parseConfig({ clusters: { east: { kubeconfig: '/k', context: 'east' } } }, '/project', 'test');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pulumi-'));
  lines = [];
  // The stand-in for Pulumi sends no events, and its library misses them aloud.
  jest.spyOn(console, 'warn').mockReturnValue();
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

describe('findPulumi', () => {
  test('is the first executable of that name on PATH', () => {
    expect(findPulumi(folder)).toBeUndefined();
    mkdirSync(join(folder, 'pulumi'));
    expect(findPulumi(folder)).toBeUndefined();
    installPulumi('');
    expect(findPulumi([folder, join(folder, 'bin')].join(delimiter))).toBe(join(folder, 'bin', 'pulumi'));
  });
});

describe('upWithPulumi', () => {
  test("keeps the project, its state and a passphrase in the state's folder, and calls Pulumi with them", async () => {
    installPulumi(
      `echo "$PULUMI_BACKEND_URL $PULUMI_CONFIG_PASSPHRASE_FILE $MESHWRIGHT_ENVIRONMENT $*" >> ${folder}/calls; exit 1`,
    );
    await problemOf(upWithPulumi(config, options()));
    const project = parse(readFileSync(join(folder, 'state', 'Pulumi.yaml'), 'utf8')) as unknown;
    expect(project).toEqual({
      name: 'meshwright',
      main: join(folder, 'root', 'infra'),
      runtime: { name: 'nodejs', options: { typescript: false } },
    });
    expect(statSync(join(folder, 'state', 'passphrase')).mode & 0o777).toBe(0o600);
    const call = readFileSync(join(folder, 'calls'), 'utf8').split('\n')[0];
    expect(call).toContain(
      `file://${join(folder, 'state', 'state')} ${join(folder, 'state', 'passphrase')} lab stack`,
    );
    const passphrase = readFileSync(join(folder, 'state', 'passphrase'), 'utf8');
    expect(readFileSync(join(folder, 'calls'), 'utf8')).not.toContain(passphrase);
  });

  test('allows no default provider, and shows what will be done to the policy pack before it is done', async () => {
    installPulumi(`echo "$*" >> ${folder}/calls; case "$*" in up*) exit 255;; esac`);
    await problemOf(upWithPulumi(config, options()));
    const pack = `--policy-pack ${join(import.meta.dirname, '..', 'policy')}`;
    expect(calls()).toContainEqual(
      expect.stringMatching(
        /^config set --path pulumi:disable-default-providers\[0\] .*-- \*$|^config set pulumi:disable-default-providers\[0\] .*--path/,
      ),
    );
    const working = calls().filter((call) => /^(preview|up) /.test(call));
    expect(working.map((call) => [call.split(' ')[0], call.includes(pack)])).toEqual([
      ['preview', true],
      ['up', true],
    ]);
  });

  test('changes nothing when the preview fails', async () => {
    installPulumi(
      `echo "$*" >> ${folder}/calls; case "$*" in preview*) echo 'error: preview failed'; exit 255;; esac`,
    );
    const { message } = await problemOf(upWithPulumi(config, options()));
    expect(message).toBe(
      'pulumi up: failed: error: preview failed; fix: correct the error and run the command again; to switch to --engine apply, run `npm run down` first',
    );
    expect(calls().filter((call) => call.startsWith('up '))).toEqual([]);
  });

  /** Writes what the preview found into the file of events, by which engines up to 3.205 tell them to the Automation API. */
  const previewFinds = (changes: object) => {
    const summary = JSON.stringify({ summaryEvent: { durationSeconds: 1, resourceChanges: changes } });
    installPulumi(
      `echo "$*" >> ${folder}/calls; case "$*" in preview*) while [ $# -gt 0 ]; do [ "$1" = --event-log ] && log=$2; shift; done; ` +
        `echo '${summary}' >> "$log"; echo '{"cancelEvent":{}}' >> "$log";; up*) exit 255;; esac`,
      'v3.205.0',
    );
  };

  test('stops after a preview that finds nothing to change', async () => {
    previewFinds({ same: 218 });
    expect(await upWithPulumi(config, { ...options(), endedWell: true })).toEqual({
      created: 0,
      changed: 0,
      deleted: 0,
      unchanged: 218,
    });
    expect(calls().filter((call) => call.startsWith('preview '))).toEqual([
      expect.stringContaining('--refresh'),
    ]);
    expect(calls().filter((call) => call.startsWith('up '))).toEqual([]);
    expect(lines).toEqual(['pulumi: the preview finds nothing to change']);
  });

  test.each([
    ['a preview that finds a change', { same: 217, update: 1 }, true],
    ['one that finds none when the last up did not end well', { same: 218 }, false],
  ])('goes on after %s', async (_, changes, endedWell) => {
    previewFinds(changes);
    await problemOf(upWithPulumi(config, { ...options(), endedWell }));
    expect(calls().filter((call) => call.startsWith('up '))).toHaveLength(1);
  });

  test('says that Pulumi was killed, and not what it was doing then', async () => {
    installPulumi(`case "$*" in up*) echo 'updating east/shop/catalog'; kill -9 $$;; esac`);
    expect(await problemOf(upWithPulumi(config, options()))).toEqual({
      exitCode: 1,
      message:
        'pulumi up: Pulumi was ended by SIGKILL before it was done; what it had finished is kept in its state; ' +
        'fix: run the command again, which continues from there; if it ends the same way again, check whether the machine runs out of memory',
    });
  });

  test('repeats what Pulumi said last', async () => {
    installPulumi(`case "$*" in *up*) echo 'error: update failed'; exit 255;; esac`);
    const { message, exitCode } = await problemOf(upWithPulumi(config, options()));
    expect(exitCode).toBe(1);
    expect(message).toBe(
      'pulumi up: failed: error: update failed; fix: correct the error and run the command again; to switch to --engine apply, run `npm run down` first',
    );
    expect(lines).toEqual([]);
  });
});

/** What the file backend leaves behind when Pulumi is killed. */
function leaveLock(): void {
  const locks = join(folder, 'state', 'state', '.pulumi', 'locks', 'organization', 'meshwright', 'lab');
  mkdirSync(locks, { recursive: true });
  writeFileSync(join(locks, 'a-run.json'), '{}');
}
const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');

describe('the state', () => {
  const names = ['PULUMI_BACKEND_URL', 'PULUMI_CONFIG_PASSPHRASE'];
  const before = names.map((name) => process.env[name]);
  afterEach(() => {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[index];
    }
  });
  const environment = async (local: boolean) => {
    process.env['PULUMI_BACKEND_URL'] = 's3://shared';
    process.env['PULUMI_CONFIG_PASSPHRASE'] = 'of the environment';
    installPulumi(`echo "$PULUMI_BACKEND_URL $PULUMI_CONFIG_PASSPHRASE" >> ${folder}/calls; exit 1`);
    await problemOf(upWithPulumi(config, { ...options(), local }));
    return calls()[0];
  };

  test('is where the environment says', async () => {
    expect(await environment(false)).toBe('s3://shared of the environment');
  });

  test("is the lab's own whatever the environment says", async () => {
    const used = await environment(true);
    const passphrase = readFileSync(join(folder, 'state', 'passphrase'), 'utf8');
    expect(used).toBe(`file://${join(folder, 'state', 'state')} ${passphrase}`);
  });

  describe('is encrypted', () => {
    const key = 'awskms://alias/mesh?region=eu-west-1';
    /** Runs `up` with this stack file for a stack that is not there yet. */
    const upWith = async (file: string, kept?: string) => {
      mkdirSync(join(folder, 'root'), { recursive: true });
      writeFileSync(join(folder, 'root', 'Pulumi.lab.yaml'), file);
      mkdirSync(join(folder, 'state'), { recursive: true });
      if (kept !== undefined) writeFileSync(join(folder, 'state', 'Pulumi.lab.yaml'), kept);
      if (!existsSync(join(folder, 'bin')))
        installPulumi(
          `echo "[$PULUMI_CONFIG_PASSPHRASE_FILE] $*" >> ${folder}/calls; ` +
            `case "$*" in 'stack select'*) echo "error: no stack named 'lab' found" >&2; exit 255;; 'stack init'*) cp ${folder}/state/Pulumi.lab.yaml ${folder}/at-init; exit 1;; esac`,
        );
      return problemOf(upWithPulumi(config, options()));
    };
    const atInit = () => parse(readFileSync(join(folder, 'at-init'), 'utf8')) as unknown;
    const init = () => calls().find((call) => call.includes('stack init'));

    test("by the stack file's provider with its key, and without a passphrase", async () => {
      await upWith(`secretsprovider: ${key}\nencryptedkey: QUJD\nconfig: {}\n`);
      expect(atInit()).toEqual({ secretsprovider: key, encryptedkey: 'QUJD' });
      expect(init()).toMatch(
        /^\[\] stack init lab --secrets-provider awskms:\/\/alias\/mesh\?region=eu-west-1( |$)/,
      );
      expect(existsSync(join(folder, 'state', 'passphrase'))).toBe(false);
    });

    test('by the key that an earlier run has made, where the file names the provider alone', async () => {
      await upWith(`secretsprovider: ${key}\n`, `secretsprovider: ${key}\nencryptedkey: REVG\n`);
      expect(atInit()).toEqual({ secretsprovider: key, encryptedkey: 'REVG' });
    });

    test('by the passphrase of the environment with the salt of the file', async () => {
      process.env['PULUMI_CONFIG_PASSPHRASE'] = 'of the environment';
      await upWith('encryptionsalt: v1:abc=:v1:def\n');
      expect(atInit()).toEqual({ encryptionsalt: 'v1:abc=:v1:def' });
      expect(init()).toMatch(/^\[\] stack init lab( |$)/);
      expect(init()).not.toContain('--secrets-provider');
    });

    test('by a passphrase made here, where the file says nothing', async () => {
      await upWith('config: {}\n');
      expect(init()).toMatch(new RegExp(`^\\[${join(folder, 'state', 'passphrase')}\\] stack init lab( |$)`));
    });

    test.each([
      [
        `secretsprovider: ${key}\n`,
        'encryptionsalt: v1:abc=:v1:def\n',
        `Pulumi.lab.yaml: secretsprovider: the state of this stack is encrypted by another secrets provider; received "${key}"; allowed passphrase; fix: run \`pulumi stack change-secrets-provider '${key}' --stack lab\` in the folder of the state's settings (.meshwright/pulumi), or restore the previous value`,
      ],
      [
        'encryptionsalt: v1:abc=:v1:def\n',
        undefined,
        'Pulumi.lab.yaml: encryptionsalt: belongs to a passphrase that is not in the environment; fix: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or remove encryptionsalt to use a generated passphrase',
      ],
      [
        'secretsprovider: kms\n',
        undefined,
        'Pulumi.lab.yaml: secretsprovider: is not a secrets provider; allowed default, passphrase, or a URL with awskms, azurekeyvault, gcpkms or hashivault',
      ],
    ])('or not at all: %j beside %j', async (file, kept, message) => {
      expect(await upWith(file, kept)).toEqual({ exitCode: 2, message });
      expect(existsSync(join(folder, 'calls'))).toBe(false);
    });
  });

  test('is freed from the lock of a run that was killed, and compared with the clusters', async () => {
    installPulumi(`echo "$*" >> ${folder}/calls; case "$*" in up*) exit 255;; esac`);
    await problemOf(upWithPulumi(config, options()));
    expect(calls().filter((call) => /^(cancel|up)/.test(call))).toEqual([
      expect.stringMatching(/^up .*--refresh/),
    ]);
    leaveLock();
    lines = [];
    await problemOf(upWithPulumi(config, options()));
    expect(calls().slice(-3)).toEqual([
      expect.stringMatching(/^cancel --yes .*--stack lab/),
      expect.stringMatching(/^preview .*--refresh/),
      expect.stringMatching(/^up .*--refresh/),
    ]);
    expect(lines[0]).toBe('pulumi: removing the lock of an earlier run that was killed');
  });
});

describe('an interruption', () => {
  /** Counts the SIGINTs that Pulumi gets within two seconds after ours. */
  const interrupted = async (trap: string) => {
    installPulumi(
      `case "$*" in up*) trap 'echo INT >> ${folder}/signals; ${trap}' INT; touch ${folder}/running; ` +
        `i=0; while [ $i -lt 25 ]; do sleep 0.1; i=$((i+1)); [ -e ${folder}/terminal ] && rm ${folder}/terminal && kill -INT $$; done;; esac`,
    );
    const controller = new AbortController();
    const work = upWithPulumi(config, { ...options(), signal: controller.signal });
    while (!existsSync(join(folder, 'running'))) await setTimeout(50);
    return { controller, work };
  };

  test('is passed on once to a Pulumi that did not get it', async () => {
    const { controller, work } = await interrupted('exit 255');
    controller.abort(new Error('stopped by SIGTERM'));
    await expect(work).rejects.toThrow('stopped by SIGTERM');
    expect(readFileSync(join(folder, 'signals'), 'utf8')).toBe('INT\n');
  });

  test('is not passed on to a Pulumi that the terminal interrupted too', async () => {
    const { controller, work } = await interrupted('echo "^C received; cancelling."');
    writeFileSync(join(folder, 'terminal'), '');
    controller.abort(new Error('stopped by SIGINT'));
    await work.catch(() => undefined);
    expect(readFileSync(join(folder, 'signals'), 'utf8')).toBe('INT\n');
  });
});

describe('downWithPulumi', () => {
  test('has nothing to do without a stack', async () => {
    await downWithPulumi(options());
    expect(lines).toEqual(['pulumi: nothing to remove, there is no stack']);
  });

  test('destroys the stack and removes it', async () => {
    const kinds = ['core/v1:Secret', 'core/v1:Namespace', 'apiextensions.k8s.io/v1:CustomResourceDefinition'];
    const resources = kinds.map((kind) => ({ urn: kind, type: `kubernetes:${kind}`, protect: true }));
    const exported = JSON.stringify({ version: 3, deployment: { secrets_providers: {}, resources } });
    installPulumi(
      `echo "$*" >> ${folder}/calls; case "$*" in *history*) echo '[{"version":1}]';; *export*) echo '${exported}';; ` +
        `*import*) cp ${folder}/state/removal.json ${folder}/imported;; esac`,
    );
    mkdirSync(join(folder, 'state'));
    writeFileSync(join(folder, 'state', 'Pulumi.yaml'), 'name: meshwright\nruntime: nodejs\n');
    await downWithPulumi(options());
    const calls = readFileSync(join(folder, 'calls'), 'utf8');
    expect(calls).toMatch(/^stack select --stack lab/m);
    expect(calls).toMatch(/^destroy --yes/m);
    expect(calls).toMatch(/^stack export --stack lab --non-interactive$/m);
    expect(JSON.parse(readFileSync(join(folder, 'imported'), 'utf8'))).toEqual({
      version: 3,
      deployment: {
        secrets_providers: {},
        // Free to go are those alone in which nobody else can have anything.
        resources: resources.map(({ urn, type }) =>
          urn.includes('Secret') ? { urn, type } : { urn, type, retainOnDelete: true },
        ),
      },
    });
    expect(existsSync(join(folder, 'state', 'removal.json'))).toBe(false);
    expect(calls).toMatch(/^stack rm --yes .*lab|^stack rm .*--stack lab|^stack rm --yes lab/m);
  });
});
