import { inspectSavepoint } from '../../savepoint/inspect-savepoint.ts';
import { renderInspection } from '../../savepoint/render-inspection.ts';
import { validateSavepoint, type Validation } from '../../savepoint/validate-savepoint.ts';
import { formatBytes } from '../amounts.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { savepointArgument } from '../savepoint-argument.ts';

export interface InspectOptions {
  readonly json: boolean;
  readonly samples: number;
}

/** Reads the savepoint whole: what it holds, or everything that is wrong with it. */
export async function inspect(io: CliIo, savepoint: string, { json, samples }: InspectOptions): Promise<number> {
  const folder = await savepointArgument(io, savepoint);
  const validation = await validateSavepoint(folder);
  const { reasons } = validation;
  if (reasons.length > 0) {
    io.out(json ? jsonText({ location: folder.location, ok: false, reasons }) : faultsText(folder.location, validation));
    return exitCodes.refused;
  }
  const inspection = await inspectSavepoint(folder, { samplesPerState: samples });
  const whole = `whole: ${validation.files} files, ${formatBytes(validation.bytes)}, every checksum is right\n`;
  io.out(json ? jsonText({ ok: true, reasons, ...inspection }) : `${renderInspection(inspection)}\n${whole}`);
  return exitCodes.done;
}

function faultsText(location: string, { reasons }: Validation): string {
  return [`savepoint ${location} cannot be used:`, ...reasons.map(({ code, message }) => `  ${code}: ${message}`), ''].join('\n');
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
