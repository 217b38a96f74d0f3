/**
 * Objects in one bucket of S3.
 *
 * OS1. Strong read-after-write and `If-None-Match` are S3's own: nothing here is cached.
 * OS2. Without the permission to list a bucket S3 answers 403, not 404, for what is missing: whoever reads needs `s3:ListBucket` too.
 */
import type { ObjectStore } from '../../ports/object-store.ts';
import { telling } from '../aws-sdk/telling.ts';
import { listObjects } from './list-objects.ts';
import { keyOfName, nameOfKey } from './object-name.ts';
import { putIfAbsent } from './put-if-absent.ts';
import { readObject } from './read-object.ts';
import { removeObjects } from './remove-objects.ts';
import type { S3Access } from './s3-access.ts';

export interface S3ObjectStoreOptions extends S3Access {
  readonly bucket: string;
}

export function createS3ObjectStore({ bucket, ...access }: S3ObjectStoreOptions): ObjectStore {
  return telling<ObjectStore>('S3', {
    createIfAbsent: (key, bytes) => putIfAbsent(access, { bucket, name: nameOfKey(key), bytes }),
    read: (key) => readObject(access, bucket, nameOfKey(key)),
    remove: (keys) => removeObjects(access, bucket, keys.map(nameOfKey)),
    list: async (prefix) => {
      const found = await listObjects(access, bucket, nameOfKey(prefix));
      return found
        .map(({ name, bytes, createdAtMs }) => ({ key: keyOfName(name), bytes, createdAtMs }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    },
  });
}
