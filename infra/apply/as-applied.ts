import { isDeepStrictEqual } from 'node:util';
import { field, list, manager, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/**
 * Whether applying the object would change nothing: the fields that the API server has down as applied by us are those of
 * the object, and the live values of these fields are the object's. When in doubt the answer is no; an apply then tells.
 */
export function isAsApplied(object: KubeObject, live: KubeObject): boolean {
  if (object.apiVersion !== live.apiVersion || field(live, 'metadata', 'deletionTimestamp') !== undefined)
    return false;
  const entry = list(live, 'metadata', 'managedFields').find(
    (one) =>
      text(one, 'manager') === manager &&
      text(one, 'operation') === 'Apply' &&
      field(one, 'subresource') === undefined,
  );
  if (text(entry, 'apiVersion') !== object.apiVersion) return false;
  return isDeepStrictEqual(ownedPart(live, field(entry, 'fieldsV1')), withoutIdentity(object));
}

/** What identifies an object is in nobody's fields. */
function withoutIdentity(object: KubeObject): unknown {
  const { metadata, ...rest } = JSON.parse(JSON.stringify(object)) as KubeObject;
  const own = without(metadata, 'name', 'namespace');
  return { ...without(rest, 'apiVersion', 'kind'), ...(Object.keys(own).length > 0 && { metadata: own }) };
}

function without(object: object, ...keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/**
 * The part of a live value that a set of fields names (FieldsV1 of
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management): `f:` a key of an object, `k:` an item of
 * a list by its keys, `v:` one by its value; `.` is the value itself, and an empty set all of it.
 */
function ownedPart(live: unknown, fields: unknown): unknown {
  const owned = Object.entries((fields ?? {}) as Readonly<Record<string, unknown>>);
  if (owned.length === 0 || typeof live !== 'object' || live === null) return live;
  const below = owned.filter(([key]) => key !== '.');
  if (Array.isArray(live)) {
    return live.flatMap((item: unknown) => {
      const found = below.find(([key]) => isItem(item, key));
      return found === undefined ? [] : [ownedPart(item, found[1])];
    });
  }
  return Object.fromEntries(
    below.flatMap(([key, part]) => {
      const name = key.slice('f:'.length);
      const value = (live as Readonly<Record<string, unknown>>)[name];
      return value === undefined ? [] : [[name, ownedPart(value, part)]];
    }),
  );
}

function isItem(item: unknown, key: string): boolean {
  const wanted: unknown = JSON.parse(key.slice(2));
  if (key.startsWith('v:')) return isDeepStrictEqual(item, wanted);
  return Object.entries(wanted as object).every(([name, value]) =>
    isDeepStrictEqual(field(item, name), value),
  );
}
