import { createLocalConnectors } from '../adapters/connectors/local-connectors.ts';
import { createFsSavepointFolders } from '../adapters/fs/savepoint-folder.ts';
import { silentLogger } from '../adapters/system/logger.ts';
import { createMetrics } from '../adapters/system/metrics.ts';
import { savepointAt } from '../local/retained-checkpoint.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import type { CliIo } from './cli-io.ts';
import { folderOf } from './folders.ts';

/** What a command names as a savepoint: one, or a data directory or checkpoint, which is written out as one first (once). */
export async function savepointArgument(io: CliIo, location: string): Promise<SavepointFolder> {
  const { clock, timers, random } = io;
  const system = { clock, timers, random, logger: silentLogger, metrics: createMetrics() };
  const place = await savepointAt(folderOf(io, location), { ...system, connectors: createLocalConnectors() });
  return createFsSavepointFolders().at(place);
}
