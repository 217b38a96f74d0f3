/** A manifest that carries a bill, and one of before there were any. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeManifest, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { manifestOf } from './fixture.ts';
import { planOf } from './plans.ts';

const bill = { 's3.PutObject.class-1': 2, 's3.PutObject': 2, 'lambda.Invoke.mb-ms': 12_345.5, 'states.Transition': 4 };
const billed = (): Manifest => ({ ...manifestOf(planOf(), { checkpoint: 3 }, () => ({})), bill });
const golden = new URL('../golden/manifest/v1/billed.json', import.meta.url);

test('a bill comes back as it was, and what was recorded is read for ever and written the same', () => {
  if (process.env['SLUICE_WRITE_GOLDEN'] === '1' && !existsSync(golden)) writeFileSync(golden, encodeManifest(billed()));
  const recorded = readFileSync(golden);
  expect(decodeManifest(recorded, 'the recorded one').bill).toEqual(bill);
  expect(Buffer.from(encodeManifest(decodeManifest(recorded, 'it'))).equals(recorded)).toBe(true);
  expect(Buffer.from(encodeManifest(billed())).equals(recorded)).toBe(true);
});

test('a manifest without one has none', () => {
  const before = readFileSync(new URL('../golden/manifest/v1/full.json', import.meta.url));
  expect(decodeManifest(before, 'it')).not.toHaveProperty('bill');
});

test('a bill that counts in words is refused', () => {
  const wrong = Buffer.from(encodeManifest(billed())).toString('utf8').replace('"s3.PutObject":2', '"s3.PutObject":"two"');
  expect(() => decodeManifest(Buffer.from(wrong), 'chk')).toThrow(/bill\.s3\.PutObject is "two", a number is wanted/);
});
