/** Runs W1 over the streamed text and prints the largest resident size in megabytes that was seen. */
import { flightsTextFile, streamChunks } from './flights-text.ts';
import { runEngine } from './run-engine.ts';
import { w1 } from './workloads.ts';

const chunks = streamChunks(await flightsTextFile(), Number(process.argv[2] ?? 1));
const window = new Map<number, string | undefined>();
let read = 0;
let residentMax = 0;

/** A position is asked for again only near the newest: a few chunks are kept. */
function chunk(index: number): string | undefined {
  for (; read <= index; read++) {
    const next = chunks.next();
    window.set(read, next.done === true ? undefined : next.value);
    window.delete(read - 4);
    residentMax = Math.max(residentMax, process.memoryUsage.rss());
  }
  return window.get(index);
}

await runEngine({ compiled: w1.compiled(), text: { chunk }, resultOf: { vertex: w1.vertex, operator: 'totals' } });
console.log(Math.round(Math.max(residentMax, process.memoryUsage.rss()) / 1e6));
process.exit(0);
