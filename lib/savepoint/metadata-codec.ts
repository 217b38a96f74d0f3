/** `_metadata.json` as text. Rules SM1–SM3 stand in savepoint-metadata.ts. */
import { createHash } from 'node:crypto';
import { SluiceError } from '../base/errors.ts';
import type { ChannelId, JobId, OperatorUid } from '../base/ids.ts';
import { planShape, stateDeclarationShape } from '../checkpoint/plan-shape.ts';
import { readShape, shapes, type Shape } from '../checkpoint/shape.ts';
import { billShape, keyGroupsShape, shardStateFields, sinkPartShape } from '../checkpoint/snapshot-shape.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import type { InFlightFile, KeyedFile, OperatorSummary, PartFile, SavepointMetadata, ShardState } from './savepoint-metadata.ts';
import { parseJson } from '../base/parse-json.ts';

export const metadataFile = '_metadata.json';
const format = 1;

const { id, integer, list, object, oneOf, optional, record, text } = shapes;
const uid = id<OperatorUid>();

const path: Shape<string> = (value, at, faults) => {
  const plain =
    typeof value === 'string' && /^[\w.@%+-]+(\/[\w.@%+-]+)*$/.test(value) && !value.split('/').some((part) => /^\.+$/.test(part));
  if (!plain) faults.push(`${at} is not a relative path inside the savepoint`);
  return value as string;
};

const metadataShape = object<SavepointMetadata>({
  format: oneOf(1),
  what: oneOf('sluice-savepoint'),
  kind: oneOf('checkpoint', 'savepoint', 'stop-savepoint'),
  job: object<SavepointMetadata['job']>({ id: id<JobId>(), name: text }),
  checkpoint: integer,
  takenAtMs: integer,
  planHash: text,
  plan: planShape,
  operators: list(
    object<OperatorSummary>({
      uid,
      name: text,
      kind: text,
      vertex: uid,
      parallelism: integer,
      maxParallelism: integer,
      states: list(stateDeclarationShape),
      rows: integer,
      bytes: integer,
    }),
  ),
  shards: list(object<ShardState>(shardStateFields)),
  files: list(
    object<KeyedFile>({
      path,
      codec: text,
      operator: uid,
      keyGroups: keyGroupsShape,
      rows: integer,
      bytes: integer,
      sha256: text,
      states: record<string, number>(integer),
    }),
  ),
  parts: list(object<PartFile>({ path, bytes: integer, sha256: text, part: sinkPartShape })),
  inFlight: optional(
    list(
      object<InFlightFile>({
        path,
        codec: text,
        from: uid,
        shard: integer,
        rows: integer,
        bytes: integer,
        sha256: text,
        channels: record<ChannelId, number>(integer),
      }),
    ),
  ),
  bill: optional<SavepointMetadata['bill']>(billShape),
});

export function encodeMetadata(metadata: SavepointMetadata): Uint8Array {
  return Buffer.from(render(readShape(metadataShape, metadata, 'SLUICE-SAVEPOINT-CORRUPT', 'the metadata of a savepoint')), 'utf8');
}

/** @throws SluiceError `SLUICE-SAVEPOINT-CORRUPT` or `SLUICE-FORMAT-NEWER` */
export function decodeMetadata(bytes: Uint8Array, location: string): SavepointMetadata {
  const what = `${location}/${metadataFile}`;
  const document = parse(bytes, what);
  refuseNewer(document, what);
  const { sha256: _, ...content } = document;
  const metadata = readShape(metadataShape, content, 'SLUICE-SAVEPOINT-CORRUPT', what);
  // The checksum stands in the text, so this covers every byte of the file, white space and the checksum itself included.
  if (render(metadata) !== Buffer.from(bytes).toString('utf8')) throw corrupt(what, 'its checksum does not fit its content');
  return metadata;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Indented for people; the checksum is that of the text without it. */
function render(metadata: SavepointMetadata): string {
  const content = parseJson(encodeValue(metadata)) as Readonly<Record<string, unknown>>;
  const sha256 = sha256Of(Buffer.from(JSON.stringify(content), 'utf8'));
  return `${JSON.stringify({ ...content, sha256 }, null, 1)}\n`;
}

function parse(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  try {
    const document = decodeValue(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    if (typeof document === 'object' && document !== null) return document as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw corrupt(what, `it is not readable: ${String(error)}`);
  }
  throw corrupt(what, 'it is not an object');
}

function refuseNewer({ format: found }: Readonly<Record<string, unknown>>, what: string): void {
  if (typeof found !== 'number' || found <= format) return;
  throw new SluiceError('SLUICE-FORMAT-NEWER', `${what} has format ${found}, this version reads up to ${format}`, {
    hint: 'Use the version of Sluice that wrote it, or a newer one.',
    facts: { what, format: found, supported: format },
  });
}

function corrupt(what: string, why: string): SluiceError {
  return new SluiceError('SLUICE-SAVEPOINT-CORRUPT', `${what} is damaged: ${why}`, {
    hint: 'Use another savepoint, or another copy of this one.',
    facts: { what, why },
  });
}
