import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ProblemsError } from '../../core/problem.ts';

/** How Pulumi encrypts the secrets of a stack, as `Pulumi.<stack>.yaml` says beside `config`; none of it is secret. */
export interface StackEncryption {
  /** `awskms://…` and the like; `passphrase` or `default` otherwise. */
  readonly secretsProvider?: string;
  /** The data key, encrypted by the provider. */
  readonly encryptedKey?: string;
  /** Of a passphrase, and a text encrypted with it, by which Pulumi knows a wrong one. */
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
 * Reads how a stack's secrets are encrypted; nothing is said where there is no such file.
 * @throws ProblemsError (exit 2) for what Pulumi would not take.
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
          what: rule === undefined ? message.toLowerCase() : 'is no provider of secrets',
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

/** Whether a key management service encrypts, and no passphrase is needed. */
export function isKeyService({ secretsProvider }: StackEncryption): boolean {
  return secretsProvider?.includes('://') === true;
}

/**
 * What a run uses: what was reviewed, and of the rest what an earlier run has kept beside the state.
 * @param ownPassphrase - whether the environment has no passphrase, and one of ours is used
 * @throws ProblemsError (exit 2) when the state is encrypted otherwise, or by a passphrase that is not here.
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
        what: 'the state of this stack is encrypted by another provider',
        received: wanted ?? '',
        allowed: used ?? '',
        fix: `run \`pulumi stack change-secrets-provider '${wanted ?? ''}' --stack ${stack}\` where the state's settings are (.meshwright/pulumi), or set it as it was`,
      },
    ]);
  }
  const settled = { ...kept, ...reviewed };
  const salt = reviewed.encryptionSalt;
  if (salt !== undefined && salt !== kept.encryptionSalt && !isKeyService(settled) && ownPassphrase) {
    throw new ProblemsError([
      {
        where: `${where}: encryptionsalt`,
        what: 'is of a passphrase that is not in the environment',
        fix: 'set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or leave encryptionsalt out for a passphrase made here',
      },
    ]);
  }
  return settled;
}
