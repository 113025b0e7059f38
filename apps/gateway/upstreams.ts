import type { DescService } from '@bufbuild/protobuf';
import { openChannel } from '../runtime/client.ts';
import type { Channel } from '../runtime/client.ts';
import { EnvError, isAddress } from '../runtime/env.ts';

/**
 * Reads the variable UPSTREAMS: `<fully qualified service>=<host:port>`, separated by commas. Only what is named here
 * is served.
 * @throws EnvError naming every wrong entry
 */
export function parseUpstreams(
  text: string,
  known: ReadonlyMap<string, DescService>,
): ReadonlyMap<DescService, string> {
  const problems: string[] = [];
  const upstreams = new Map<DescService, string>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [name = '', address, ...more] = entry.split('=');
    const service = known.get(name);
    const problem = (what: string) => problems.push(`UPSTREAMS: ${JSON.stringify(entry)}: ${what}`);
    if (address === undefined || more.length > 0) problem('allowed <service>=<host:port>');
    else if (service === undefined) problem(`no such service; allowed ${[...known.keys()].join(', ')}`);
    else if (!isAddress(address)) problem('the address is not host:port');
    else if (upstreams.has(service)) problem('this service is there twice');
    else upstreams.set(service, address);
  }
  if (problems.length > 0) throw new EnvError(problems);
  return upstreams;
}

/** Channels to the upstreams, one for each address. */
export interface Upstreams {
  /** @throws Error for a service that is not routed */
  channelOf(service: DescService): Channel;
  close(): void;
}

/** Opens the channels; they connect at the first call. */
export function openUpstreams(addresses: ReadonlyMap<DescService, string>): Upstreams {
  const channels = new Map(
    [...new Set(addresses.values())].map((address) => [address, openChannel(address)]),
  );
  return {
    channelOf: (service) => {
      const channel = channels.get(addresses.get(service) ?? '');
      if (channel === undefined) throw new Error(`${service.typeName} has no upstream`);
      return channel;
    },
    close: () => {
      for (const channel of channels.values()) channel.close();
    },
  };
}
