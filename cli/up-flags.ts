import type { TargetFlags } from './workspace/target.ts';

/** Flags of `npm run up`. */
export interface UpFlags extends TargetFlags {
  readonly labSubnet?: string;
  readonly prove?: boolean;
}
