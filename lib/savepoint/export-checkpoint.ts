/** A retained checkpoint as a savepoint, in one go: for where nobody else works on the job, such as a data directory at rest. */
import type { Manifest } from '../checkpoint/manifest.ts';
import { exportUnit, exportUnits, type ExportPorts } from './export-savepoint.ts';
import { finishExport } from './finish-export.ts';
import type { SavepointMetadata } from './savepoint-metadata.ts';

export async function exportCheckpoint(ports: ExportPorts, manifest: Manifest): Promise<SavepointMetadata> {
  const receipts = [];
  for (const unit of exportUnits(manifest)) receipts.push(await exportUnit(ports, unit));
  return finishExport(ports.folder, manifest, receipts);
}
