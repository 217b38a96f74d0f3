/**
 * What a file's metadata say about its rows and the columns that are wanted, checked when it is opened, before the first record.
 *
 * PC1. The numbers of rows make sense and agree: positions rely on them.
 */
import { type ColumnMetaData, type FileMetaData, parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet';
import { SluiceError } from '../../base/errors.ts';
import { inputCorrupt } from './input-file.ts';

export interface RowGroupRange {
  readonly start: number;
  readonly rows: number;
}

/** Every decimal number of so many digits is another double. */
const decimalDigitsMax = 15;
const codecs: readonly string[] = ['UNCOMPRESSED', 'SNAPPY', 'ZSTD', 'GZIP', 'BROTLI'];

/** hyparquet converts these by their old annotation only, and would hand out days, unscaled integers and bytes where a file has just the new one. */
const oldAnnotations = { ENUM: 'UTF8', DECIMAL: 'DECIMAL', DATE: 'DATE', JSON: 'JSON', BSON: 'BSON' } as const;

/** The metadata with every column annotated so that it is converted. */
export function annotateColumns(metadata: FileMetaData): FileMetaData {
  return { ...metadata, schema: metadata.schema.map(annotate) };
}

function annotate(element: SchemaElement): SchemaElement {
  const { converted_type: converted, logical_type: logical } = element;
  const known = converted ?? logical?.type;
  if (known === undefined || !Object.hasOwn(oldAnnotations, known)) return element;
  const annotated = { ...element, converted_type: oldAnnotations[known as keyof typeof oldAnnotations] };
  return logical?.type === 'DECIMAL' ? { ...annotated, scale: logical.scale, precision: logical.precision } : annotated;
}

export function isDecimal(metadata: FileMetaData, column: string): boolean {
  const tree = parquetSchema(metadata).children.find(({ element }) => element.name === column);
  return tree?.element.converted_type === 'DECIMAL';
}

/** @throws SluiceError `SLUICE-INPUT-COLUMN-UNKNOWN` or `SLUICE-INPUT-COLUMN-UNSUPPORTED`, naming the column */
export function checkColumns(path: string, metadata: FileMetaData, columns: readonly string[]): void {
  const { children } = parquetSchema(metadata);
  for (const column of columns) {
    const tree = children.find(({ element }) => element.name === column);
    if (tree === undefined) throw columnUnknown(path, column, children);
    const chunks = metadata.row_groups.flatMap((group) => chunksOf(group, column));
    const why = typeProblem(tree) ?? chunks.map(codecProblem).find((problem) => problem !== undefined);
    if (why !== undefined) throw columnUnsupported(path, column, why);
  }
}

/** @throws SluiceError `SLUICE-INPUT-CORRUPT` */
export function rowGroupRanges(path: string, metadata: FileMetaData): RowGroupRange[] {
  const groups: RowGroupRange[] = [];
  let start = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (!(rows >= 0 && Number.isSafeInteger(start + rows))) throw inputCorrupt(path, `a row group has ${rows} rows`, { row: start });
    groups.push({ start, rows });
    start += rows;
  }
  if (BigInt(start) !== BigInt(metadata.num_rows)) {
    throw inputCorrupt(path, `its row groups have ${start} rows, and it says ${metadata.num_rows}`, { row: start });
  }
  return groups;
}

function chunksOf({ columns }: FileMetaData['row_groups'][number], column: string): ColumnMetaData[] {
  return columns.flatMap(({ meta_data: facts }) => (facts?.path_in_schema[0] === column ? [facts] : []));
}

function typeProblem({ element, children, path }: SchemaTree): string | undefined {
  return children.map(typeProblem).find((problem) => problem !== undefined) ?? elementProblem(element, path.length > 1);
}

function elementProblem({ converted_type: type, precision = 0 }: SchemaElement, isNested: boolean): string | undefined {
  if (type === 'BSON' || type === 'INTERVAL') return `it is of type ${type}`;
  if (type === 'DECIMAL' && isNested) return 'it has decimals inside lists or structs';
  if (type === 'DECIMAL' && precision > decimalDigitsMax) return `a number cannot hold decimals of ${precision} digits exactly`;
  return undefined;
}

function codecProblem({ codec }: ColumnMetaData): string | undefined {
  return codecs.includes(codec) ? undefined : `it is compressed with ${codec}`;
}

function columnUnknown(path: string, column: string, present: readonly SchemaTree[]): SluiceError {
  const columns = present.map(({ element }) => element.name);
  return new SluiceError('SLUICE-INPUT-COLUMN-UNKNOWN', `${path} has no column ${JSON.stringify(column)}`, {
    hint: `Name columns that it has: ${columns.join(', ')}.`,
    facts: { file: path, column, columns },
  });
}

function columnUnsupported(path: string, column: string, why: string): SluiceError {
  return new SluiceError('SLUICE-INPUT-COLUMN-UNSUPPORTED', `column ${column} of ${path} cannot be read: ${why}`, {
    hint: 'Name the columns that the job needs in the option columns, without this one, or write the file with another type.',
    facts: { file: path, column, why },
  });
}
