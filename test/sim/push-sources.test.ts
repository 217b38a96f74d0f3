import { testTopologies } from './exactly-once.ts';

testTopologies('pushed');
