/** Durations as people and Flink write them: `500ms`, `1s`, `10 min`, `1.5h`, `1d`, and Flink's longer words such as `30 sec`. */
const units: readonly (readonly [unitMs: number, ...words: string[]])[] = [
  [1, 'ms', 'milli', 'millis', 'millisecond', 'milliseconds'],
  [1_000, 's', 'sec', 'secs', 'second', 'seconds'],
  [60_000, 'm', 'min', 'mins', 'minute', 'minutes'],
  [3_600_000, 'h', 'hour', 'hours'],
  [86_400_000, 'd', 'day', 'days'],
];

/** Undefined where the text is no duration. */
export function durationMsOf(text: string): number | undefined {
  const [, amount, word = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const [unitMs] = units.find(([, ...words]) => words.includes(word.toLowerCase())) ?? [];
  return amount === undefined || unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs);
}
