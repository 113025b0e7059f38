import { webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { secretMode, writeFileAtomic } from '../core/files.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const lifetimeMs = 365 * 24 * 3600 * 1000;

/** Names of the files of one certificate. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The PKI of one node's cluster: files in one folder, keys with mode 0600. */
export interface NodePki {
  readonly ca: CertificateFiles;
  readonly apiServer: CertificateFiles;
  readonly admin: CertificateFiles;
  readonly kubelet: CertificateFiles;
  /** Key pair that signs service account tokens. */
  readonly serviceAccountKey: string;
  /** Its public key in a separate file: the API server does not read a public key from a PKCS #8 file. */
  readonly serviceAccountPublicKey: string;
}

/**
 * Makes a cluster's certificates (EC P-256, one year) where they are missing: a CA, and under it the API
 * server's, an administrator's (group system:masters) and the kubelet's (group system:nodes), as the
 * Kubernetes page "PKI certificates and requirements" requires. No lab outlives its certificates.
 */
export async function ensureNodePki(
  folder: string,
  node: { readonly name: string; readonly address: string; readonly apiService: string },
): Promise<NodePki> {
  const files = (name: string): CertificateFiles => ({
    certificate: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  const pki: NodePki = {
    ca: files('ca'),
    apiServer: files('apiserver'),
    admin: files('admin'),
    kubelet: files('kubelet'),
    serviceAccountKey: join(folder, 'sa.key'),
    serviceAccountPublicKey: join(folder, 'sa.pub'),
  };
  // The service account key is written last: when it exists, all files exist.
  if (existsSync(pki.serviceAccountKey)) return pki;

  const caKeys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${node.name} cluster CA`,
      keys: caKeys,
      signingAlgorithm: algorithm,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
      ],
    },
    webcrypto,
  );
  await store(pki.ca, ca, caKeys.privateKey);

  const subjects: readonly {
    to: CertificateFiles;
    subject: string;
    dns: readonly string[];
    ip: readonly string[];
  }[] = [
    {
      to: pki.apiServer,
      subject: 'CN=kube-apiserver',
      dns: ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'],
      ip: [node.address, '127.0.0.1', node.apiService],
    },
    { to: pki.admin, subject: 'O=system:masters,CN=admin', dns: [], ip: [] },
    {
      to: pki.kubelet,
      subject: `O=system:nodes,CN=system:node:${node.name}`,
      dns: [node.name],
      ip: [node.address],
    },
  ];
  for (const subject of subjects) {
    const keys = await generateKeys();
    const names: x509.JsonGeneralNames = [
      ...subject.dns.map((value) => ({ type: 'dns' as const, value })),
      ...subject.ip.map((value) => ({ type: 'ip' as const, value })),
    ];
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: subject.subject,
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: algorithm,
        ...validity(),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
          ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
        ],
      },
      webcrypto,
    );
    await store(subject.to, certificate, keys.privateKey);
  }
  const serviceAccount = await generateKeys();
  const spki = await webcrypto.subtle.exportKey('spki', serviceAccount.publicKey);
  writeFileAtomic(pki.serviceAccountPublicKey, `${x509.PemConverter.encode(spki, 'PUBLIC KEY')}\n`);
  writeFileAtomic(pki.serviceAccountKey, await privatePem(serviceAccount.privateKey), secretMode);
  return pki;
}

/** A kubeconfig file's content (v1 Config). */
export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly object[];
  readonly users: readonly object[];
  readonly contexts: readonly object[];
  readonly 'current-context': string;
}

/** A kubeconfig with one context, named as the cluster, for the holder of the certificate. */
export function kubeconfig(
  name: string,
  server: string,
  ca: CertificateFiles,
  user: CertificateFiles,
): Kubeconfig {
  const base64 = (path: string) => readFileSync(path).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca.certificate) } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
}

/** Valid from one minute ago, because the verifier's clock may be behind. */
function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + lifetimeMs) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function store(
  files: CertificateFiles,
  certificate: x509.X509Certificate,
  key: webcrypto.CryptoKey,
): Promise<void> {
  writeFileAtomic(files.key, await privatePem(key), secretMode);
  writeFileAtomic(files.certificate, `${certificate.toString('pem')}\n`);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** One kubeconfig with the contexts of several. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  const [first] = configs;
  if (first === undefined) throw new Error('no kubeconfig to merge');
  return {
    ...first,
    clusters: configs.flatMap(({ clusters }) => clusters),
    users: configs.flatMap(({ users }) => users),
    contexts: configs.flatMap(({ contexts }) => contexts),
  };
}
