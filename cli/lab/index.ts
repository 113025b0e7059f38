/** The lab, as the commands use it. It is loaded when no contexts are given, and is a package of its own. */
export { labDown } from './lab-down.ts';
export { labUp, type LabUp } from './lab-up.ts';
