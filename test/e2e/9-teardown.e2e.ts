import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { npm } from './cli.ts';
import { ensureUp } from './lab.ts';
import { cleanMachineFile, machineState, settledMachineState, type MachineState } from './machine.ts';

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
