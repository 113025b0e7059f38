import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ProblemsError } from '../../core/problem.ts';

/** How Pulumi encrypts the secrets of a stack, as set in `Pulumi.<stack>.yaml` beside `config`; none of it is secret. */
export interface StackEncryption {
  /** `awskms://…` or another key service; otherwise `passphrase` or `default`. */
  readonly secretsProvider?: string;
  /** The data key, encrypted by the provider. */
  readonly encryptedKey?: string;
  /** Salt of the passphrase, with a text encrypted by it, from which Pulumi recognizes a wrong passphrase. */
  readonly encryptionSalt?: string;
}

const schema = z.looseObject({
  secretsprovider: z
    .string()
    .regex(/^(default|passphrase|(awskms|azurekeyvault|gcpkms|hashivault):\/\/.+)$/)
    .optional(),
  encryptedkey: z.string().min(1).optional(),
  encryptionsalt: z.string().min(1).optional(),
});

const allowed: Readonly<Record<string, string>> = {
  secretsprovider: 'default, passphrase, or a URL with awskms, azurekeyvault, gcpkms or hashivault',
};

/**
 * Reads how a stack's secrets are encrypted; empty when there is no such file.
 * @throws ProblemsError (exit 2) for a value that Pulumi would not accept.
 */
export function readEncryption(folder: string, stack: string): StackEncryption {
  const name = `Pulumi.${stack}.yaml`;
  const file = join(folder, name);
  if (!existsSync(file)) return {};
  const parsed = schema.safeParse(parse(readFileSync(file, 'utf8')) ?? {});
  if (!parsed.success) {
    throw new ProblemsError(
      parsed.error.issues.map(({ path, message }) => {
        const key = path.join('.');
        const rule = allowed[key];
        return {
          where: `${name}: ${key}`,
          what: rule === undefined ? message.toLowerCase() : 'is not a secrets provider',
          ...(rule !== undefined && { allowed: rule }),
        };
      }),
    );
  }
  const { secretsprovider, encryptedkey, encryptionsalt } = parsed.data;
  return {
    ...(secretsprovider !== undefined && { secretsProvider: secretsprovider }),
    ...(encryptedkey !== undefined && { encryptedKey: encryptedkey }),
    ...(encryptionsalt !== undefined && { encryptionSalt: encryptionsalt }),
  };
}

/** Whether a key management service encrypts, so that no passphrase is needed. */
export function isKeyService({ secretsProvider }: StackEncryption): boolean {
  return secretsProvider?.includes('://') === true;
}

/**
 * The encryption that a run uses: the settings of the reviewed stack file, and for the rest those that an earlier run
 * stored beside the state.
 * @param ownPassphrase - whether the environment has no passphrase, so that a generated one is used
 * @throws ProblemsError (exit 2) when the state is encrypted in another way, or with a passphrase that is not available.
 */
export function settleEncryption(
  stack: string,
  reviewed: StackEncryption,
  kept: StackEncryption,
  ownPassphrase: boolean,
): StackEncryption {
  const where = `Pulumi.${stack}.yaml`;
  const isKept = Object.keys(kept).length > 0;
  const says = reviewed.secretsProvider !== undefined;
  const [wanted, used] = [reviewed, kept].map((one) =>
    isKeyService(one) ? (one.secretsProvider ?? '') : 'passphrase',
  );
  if (says && isKept && wanted !== used) {
    throw new ProblemsError([
      {
        where: `${where}: secretsprovider`,
        what: 'the state of this stack is encrypted by another secrets provider',
        received: wanted ?? '',
        allowed: used ?? '',
        fix: `run \`pulumi stack change-secrets-provider '${wanted ?? ''}' --stack ${stack}\` in the folder of the state's settings (.meshwright/pulumi), or restore the previous value`,
      },
    ]);
  }
  const settled = { ...kept, ...reviewed };
  const salt = reviewed.encryptionSalt;
  if (salt !== undefined && salt !== kept.encryptionSalt && !isKeyService(settled) && ownPassphrase) {
    throw new ProblemsError([
      {
        where: `${where}: encryptionsalt`,
        what: 'belongs to a passphrase that is not in the environment',
        fix: 'set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or remove encryptionsalt to use a generated passphrase',
      },
    ]);
  }
  return settled;
}
