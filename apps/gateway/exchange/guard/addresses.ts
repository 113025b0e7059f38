/** An address with a port, or the name of a Service: nobody outside has a use for one, whatever an error is about. */
const inside = [
  /\b\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}\b/,
  /\[(?:[\da-f]{0,4}:){2,}[\da-f.%]*\]:\d{1,5}/i,
  /\bipv4:\d/i,
  /\bipv6:[[%\da-f:]/i,
  /\bunix:\S{0,100}\//i,
  /\.svc\b/i,
  /\.cluster\.local\b/i,
  /\.(?:ec2|compute|google|c\.[\w-]+)\.internal\b/i,
  /\b(?:connect|getaddrinfo|listen|bind|read|write|queryA{1,4}) E(?:CONN[A-Z]+|NOTFOUND|AI_[A-Z]+|HOST[A-Z]+|NET[A-Z]+|TIMEDOUT|PIPE|ADDR[A-Z]+|ACCES|PERM)\b/,
  /\bdial (?:tcp|udp|unix)\b/,
  /\blookup \S+ on \S+/,
];

/** What only errors of the way to another server hold. */
const onTheWay = [
  /\bE(?:CONN[A-Z]+|NOTFOUND|AI_[A-Z]+|HOST[A-Z]+|NET[A-Z]+|TIMEDOUT|PIPE|ADDR[A-Z]+)\b/,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/,
  /(?:[\da-f]{1,4}:){3,}[\da-f:]*|\b[\da-f]{1,4}(?::[\da-f]{1,4})*::/i,
  // A host and a port, and not a time.
  /(?:^|[\s"'(=/])(?!\d{4}-\d\d-\d\dT)(?=[\w.-]*[a-z])\w(?:[\w.-]*\w)?:\d{2,5}\b/i,
  /\bdns:/i,
  /\b(?:upstream|delayed) connect\b|\btransport failure\b/i,
];

/** Whether a text names an address inside: of a host, a port, a Service or a socket. */
export function namesInside(text: string): boolean {
  return inside.some((pattern) => pattern.test(text));
}

/**
 * Whether a text was made on the way to another server, by a library or a proxy: it names an address, or may name a host.
 * For codes that libraries give by themselves; in other errors `line:12` is what a service wanted to say.
 */
export function tellsOfTheWay(text: string): boolean {
  return namesInside(text) || onTheWay.some((pattern) => pattern.test(text));
}
