/** Event time: milliseconds since 1970 as an integer. Flink uses Long.MIN_VALUE and MAX_VALUE; ours are the safe integers' ends. */
export const NO_TIMESTAMP = -9_007_199_254_740_991;
export const MIN_WATERMARK = -9_007_199_254_740_991;
/** The watermark after the last record of a bounded input. */
export const MAX_WATERMARK = 9_007_199_254_740_991;
