import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';

/** What the engine did to a resource, for people; what is not here is no change of an object. */
const verbs: Readonly<Record<string, string>> = {
  create: 'created',
  'create-replacement': 'created again',
  update: 'changed',
  delete: 'deleted',
  'delete-replaced': 'deleted the former',
  import: 'adopted',
};

/**
 * Follows an update by the engine's events: takes each and reports what was done to which object, how long that took, and
 * how many of the planned resources are through. Resources that stay as they are count, but are not told one by one.
 * @param phase - in a preview nothing is done, so only what is wrong is told
 * @param planned - how many resources there are in all, where a preview has told
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
      // Compared with the cluster: its turn comes later.
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
    if (diagnosticEvent !== undefined && isTold(diagnosticEvent))
      report(`${of(diagnosticEvent.urn)}${plain(diagnosticEvent.message)}`);
  };
}

type Diagnostic = NonNullable<EngineEvent['diagnosticEvent']>;

/** Errors, warnings, and what the program reports of its waiting, which is not kept. */
function isTold({ severity, ephemeral = false, message }: Diagnostic): boolean {
  return plain(message) !== '' && (severity === 'error' || severity === 'warning' || ephemeral);
}

/** `Deployment east/shop/catalog`, from a URN's last two parts. */
function nameOf(urn: string): string {
  const [, , types = '', name = ''] = urn.split('::');
  return `${types.split(':').at(-1) ?? ''} ${name}`;
}

function of(urn: string | undefined): string {
  return urn === undefined || urn === '' ? '' : `${nameOf(urn)}: `;
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
