import { testTopologies } from './exactly-once.ts';

testTopologies('chain', 'keyed', 'exchanges', 'two-phase-sink', 'poison');
