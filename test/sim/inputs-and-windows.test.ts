import { testTopologies } from './exactly-once.ts';

testTopologies('union', 'two-inputs', 'broadcast', 'window', 'rescale');
