import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { planAddresses } from '../../lab/addresses.ts';
import { cgroupMount, ensureCgroups } from '../../lab/cgroups.ts';
import { ensureNetwork } from '../../lab/network.ts';
import { killHard, npm, start } from './checkout/cli.ts';
import { ensureUp } from './checkout/lab.ts';
import {
  cleanMachineFile,
  machineState,
  settledMachineState,
  type MachineState,
} from './checkout/machine.ts';

const minute = 60_000;

test(
  'down leaves no process, mount, namespace, link, route, control group, firewall rule or folder behind',
  async () => {
    const file = cleanMachineFile();
    let clean: MachineState;
    if (existsSync(file)) clean = JSON.parse(readFileSync(file, 'utf8')) as MachineState;
    else {
      // Run alone: without the lifecycle suite before it, nobody has seen the machine clean.
      expect(await npm('down')).toMatchObject({ code: 0 });
      clean = await settledMachineState();
    }
    await ensureUp();
    const up = machineState();
    expect(up.processes.length).toBeGreaterThan(20);
    expect(up.networkNamespaces).toEqual(
      expect.arrayContaining(['meshwright', 'meshwright-east', 'meshwright-west']),
    );
    expect(await npm('down')).toMatchObject({ code: 0 });
    expect(machineState()).toEqual(clean);
    expect(await npm('down')).toMatchObject({ code: 0, stdout: expect.stringMatching(/nothing was up\n$/) });
  },
  60 * minute,
);

test(
  'up removes what a checkout that is gone left of its lab, and goes on; it leaves alone what runs or has its checkout',
  async () => {
    expect(await npm('down')).toMatchObject({ code: 0 });
    const clean = await settledMachineState();
    const owner = mkdtempSync(join(tmpdir(), 'meshwright-gone-'));
    ensureCgroups(cgroupMount, ['gone']);
    await ensureNetwork(planAddresses('172.29.9.0/24', ['gone']), owner);
    const refusal = (what: string) => ({
      code: 2,
      stderr:
        `lab: ${what}; received ${JSON.stringify(owner)}; allowed one lab per machine; ` +
        `fix: take that one down: \`MESHWRIGHT_STATE_DIR=${owner} npm run down\`\n`,
    });
    expect(await npm('up')).toMatchObject(refusal('another checkout has its lab on this machine'));
    rmSync(owner, { recursive: true });

    const left = spawn('ip', ['netns', 'exec', 'meshwright-gone', 'sleep', 'infinity']);
    const ended = once(left, 'exit');
    await once(left, 'spawn');
    expect(await npm('up')).toMatchObject(
      refusal(
        `the lab of a checkout that is gone is on this machine, and its processes run: ${left.pid ?? 0}`,
      ),
    );
    left.kill();
    await ended;

    const up = start('up');
    await up.printed(/west: node started/);
    await killHard(up);
    expect((await up.finished).stdout).toContain(`removed the lab of a checkout that is gone: ${owner}\n`);
    const { networkNamespaces, cgroups } = machineState();
    expect(networkNamespaces).toEqual(['meshwright', 'meshwright-east', 'meshwright-west']);
    expect(cgroups.filter((path) => path.includes('gone'))).toEqual([]);
    expect(await npm('down')).toMatchObject({ code: 0 });
    expect(machineState()).toEqual(clean);
  },
  10 * minute,
);
