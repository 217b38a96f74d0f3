/** Every 150th flight of the file, so that all its days are there: as the job reads them, and as the plain computation does. */
import { readFlights, type FlightBatch } from '../../../examples/flights/expected-reader.ts';

const apart = 150;

export interface SomeFlights {
  /** NDJSON, in files of equal length. */
  readonly files: readonly string[];
  readonly batches: readonly FlightBatch[];
}

export async function every150th(inputPath: string, fileCount: number): Promise<SomeFlights> {
  const at: number[] = [];
  const delay: number[] = [];
  const origin: string[] = [];
  const destination: string[] = [];
  let row = 0;
  for await (const batch of readFlights(inputPath)) {
    for (let i = 0; i < batch.at.length; i++, row++) {
      if (row % apart !== 0) continue;
      at.push(batch.at[i]!);
      delay.push(batch.delay[i]!);
      origin.push(batch.origin[i]!);
      destination.push(batch.destination[i]!);
    }
  }
  const lines = at.map((date, i) => JSON.stringify({ date, delay: delay[i], origin: origin[i], destination: destination[i] }));
  const perFile = Math.ceil(lines.length / fileCount);
  const files = Array.from({ length: fileCount }, (_, i) => `${lines.slice(i * perFile, (i + 1) * perFile).join('\n')}\n`);
  return { files, batches: [{ at: Float64Array.from(at), delay: Float64Array.from(delay), origin, destination }] };
}
