import type { DescService } from '@bufbuild/protobuf';
import { isAddress } from '../../runtime/env.ts';
import { createTransport } from './transport.ts';
import type { TransportOptions } from './transport.ts';
import type { Transport } from './types.ts';

/** What the variable UPSTREAMS says. */
export interface ReadUpstreams {
  /** The address of each service that is served. */
  readonly addresses: ReadonlyMap<DescService, string>;
  /** A line for every wrong entry. */
  readonly problems: readonly string[];
}

/**
 * Reads the variable UPSTREAMS: `<fully qualified service>=<host:port>`, separated by commas. Only what is named here
 * is served.
 * @param known - the services that there are descriptors of; undefined when there are none at all, which is told elsewhere
 */
export function readUpstreams(
  text: string,
  known: ReadonlyMap<string, DescService> | undefined,
): ReadUpstreams {
  const problems: string[] = [];
  const addresses = new Map<DescService, string>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [name = '', address, ...more] = entry.split('=');
    const service = known?.get(name);
    const problem = (what: string) => problems.push(`UPSTREAMS: ${JSON.stringify(entry)}: ${what}`);
    if (address === undefined || more.length > 0) problem('allowed <service>=<host:port>');
    else if (known !== undefined && service === undefined)
      problem(`DESCRIPTORS has no such service; allowed ${[...known.keys()].join(', ')}`);
    else if (!isAddress(address)) problem('the address is not host:port');
    else if (service === undefined) continue;
    else if (addresses.has(service)) problem('this service is listed twice');
    else addresses.set(service, address);
  }
  return { addresses, problems };
}

/** Connections to the upstreams, one for each address. */
export interface Upstreams {
  /** @throws Error for a service that is not routed */
  transportOf(service: DescService): Transport;
  /** Connects to all, ahead of the first call. @returns a line, for logs, for each that could not be reached */
  connect(): Promise<readonly string[]>;
  close(): void;
}

/** Opens the upstreams; they connect at the first call, if not before. */
export function openUpstreams(
  addresses: ReadonlyMap<DescService, string>,
  options: TransportOptions = {},
): Upstreams {
  const transports = new Map(
    [...new Set(addresses.values())].map((address) => [address, createTransport(address, options)]),
  );
  return {
    transportOf: (service) => {
      const transport = transports.get(addresses.get(service) ?? '');
      if (transport === undefined) throw new Error(`${service.typeName} has no upstream`);
      return transport;
    },
    connect: async () => {
      const problems = await Promise.all([...transports.values()].map((transport) => transport.connect()));
      return problems.filter((problem) => problem !== undefined);
    },
    close: () => {
      for (const transport of transports.values()) transport.close();
    },
  };
}
