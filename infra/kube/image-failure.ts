/** Failures of a pull that may be over at the next try: the network, a busy or broken registry. */
const transient = [
  /\b429\b|too many requests|toomanyrequests|rate limit/i,
  /\b5\d\d\b|internal server error|bad gateway|service unavailable|gateway timeout/i,
  /dial tcp|no such host|server misbehaving|i\/o timeout|timed? ?out|deadline exceeded|canceled|cancelled/i,
  /connection (refused|reset)|no route to host|network is unreachable|\beof\b|tls handshake/i,
];

/** What a registry says of an image that it does not have, or does not give to these credentials. */
const lasting = [
  /: not found|manifest unknown|name unknown|manifest for .* not found|repository does not exist/i,
  /unauthorized|authentication required|authorization failed|no basic auth credentials|\b40[134]\b|denied|forbidden/i,
  /invalid reference format|name invalid|no match for platform/i,
];

/**
 * Whether the message of a failed pull says that the image can never be had: there is none, or not for us. What is not
 * understood counts as something that may be over at the next try.
 * @param image - as the container names it: its own words say nothing
 */
export function isLasting(message: string, image: string | undefined): boolean {
  const quoted = message.replaceAll(/"[^"]*"/g, '""');
  const said = image === undefined || image === '' ? quoted : quoted.replaceAll(image, '');
  if (transient.some((pattern) => pattern.test(said))) return false;
  return lasting.some((pattern) => pattern.test(said));
}
