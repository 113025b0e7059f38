import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';

/** Words for what the engine did to a resource; an operation that is not listed does not change an object. */
const verbs: Readonly<Record<string, string>> = {
  create: 'created',
  'create-replacement': 'created again',
  update: 'changed',
  delete: 'deleted',
  'delete-replaced': 'deleted the old',
  import: 'adopted',
};

/**
 * Follows an update by the engine's events: the returned function reports what was done to which object, how long it took,
 * and how many of the planned resources are done. Unchanged resources are counted, but not reported one by one.
 * @param phase - a preview changes nothing, so only problems are reported
 * @param planned - total number of resources, when known from a preview
 */
export function followUpdate(
  phase: 'preview' | 'up' | 'destroy',
  report: (line: string) => void,
  planned?: number,
): (event: EngineEvent) => void {
  const started = new Map<string, number>();
  const done = new Set<string>();
  const progress = () =>
    planned === undefined ? `${done.size} done` : `${done.size} of ${Math.max(planned, done.size)}`;
  return (event) => {
    const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent, policyEvent } = event;
    if (resourcePreEvent !== undefined) started.set(resourcePreEvent.metadata.urn, event.timestamp);
    if (resOutputsEvent !== undefined) {
      const { op, urn } = resOutputsEvent.metadata;
      // A refresh only compares with the cluster: the operation itself comes later.
      if (op === 'refresh') return;
      done.add(urn);
      const verb = verbs[op];
      if (verb === undefined || phase === 'preview') return;
      const seconds = event.timestamp - (started.get(urn) ?? event.timestamp);
      report(`${verb} ${nameOf(urn)}${seconds > 0 ? ` in ${seconds} s` : ''} (${progress()})`);
    }
    if (resOpFailedEvent !== undefined)
      report(`failed: ${nameOf(resOpFailedEvent.metadata.urn)} (${progress()})`);
    if (policyEvent !== undefined)
      report(
        `refused by ${policyEvent.policyName}: ${of(policyEvent.resourceUrn)}${plain(policyEvent.message)}`,
      );
    if (diagnosticEvent !== undefined && isReported(diagnosticEvent))
      report(`${of(diagnosticEvent.urn)}${plain(diagnosticEvent.message)}`);
  };
}

type Diagnostic = NonNullable<EngineEvent['diagnosticEvent']>;

/**
 * Errors, warnings, and the program's ephemeral messages about what it waits for. The provider has ephemeral messages too,
 * each of an object: in a refresh they repeat what happened when the object was made.
 */
function isReported({ severity, ephemeral = false, message, urn = '' }: Diagnostic): boolean {
  return (
    plain(message) !== '' && (severity === 'error' || severity === 'warning' || (ephemeral && isProgram(urn)))
  );
}

/** Whether a message is of the program as a whole: its own log has no URN, or the stack's. */
function isProgram(urn: string): boolean {
  return urn === '' || urn.includes('::pulumi:pulumi:Stack::');
}

/** `Deployment east/shop/catalog`, from a URN's last two parts; `provider east` for a provider. */
function nameOf(urn: string): string {
  const [, , types = '', name = ''] = urn.split('::');
  if (/(^|\$)pulumi:providers:[^$]*$/.test(types)) return `provider ${name}`;
  return `${types.split(':').at(-1) ?? ''} ${name}`;
}

function of(urn: string | undefined): string {
  return urn === undefined || isProgram(urn) ? '' : `${nameOf(urn)}: `;
}

/** Without Pulumi's colour marks, on one line. */
function plain(message: string): string {
  return message
    .replace(/<\{%[^%]*%\}>/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
