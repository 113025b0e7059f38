import type { SerializableError, TestCaseResult, TestResult } from '@jest/test-result';
import type { Circus, Config } from '@jest/types';

/** What the runner asks of a process: to run one test file. */
export interface RunFile {
  readonly path: string;
  readonly globalConfig: Config.GlobalConfig;
  readonly config: Config.ProjectConfig;
}

/** What a process reports. `step` starts the watchdog: the step's name and its time-out in milliseconds. */
export type Report =
  | { readonly kind: 'step'; readonly step: string; readonly limit: number }
  | { readonly kind: 'case-start'; readonly info: Circus.TestCaseStartInfo }
  | { readonly kind: 'case-result'; readonly result: TestCaseResult }
  | {
      readonly kind: 'done';
      readonly outcome: Outcome;
      /** Resident memory in bytes. */
      readonly memory: number;
      /** The file left something open or changed: the process cannot be used for another file. */
      readonly spoiled: boolean;
    };

export type Outcome =
  { readonly result: TestResult } | { readonly error: SerializableError; readonly result?: undefined };
