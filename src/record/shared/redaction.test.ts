import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import type { Remark } from '../types.ts';
import { isRedacted, redactionToFhir, redactionToHl7 } from './redaction.ts';

const NOPAT = { system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' };
const resource = (members: object): Resource => ({ resourceType: 'DocumentReference', ...members });
const heard = () => {
  const remarks: Remark[] = [];
  return { remarks, report: (remark: Remark) => void remarks.push(remark) };
};
const marked = (code: string) => readXml(`<s><confidentialityCode code="${code}"/></s>`);

test('only NOPAT of the act codes redacts, in the security of any resource and the labels of a document', () => {
  assert.equal(isRedacted(resource({ meta: { security: [NOPAT] } })), true);
  assert.equal(isRedacted(resource({ securityLabel: [{ coding: [NOPAT] }] })), true);
  assert.equal(isRedacted(resource({ meta: { security: [{ ...NOPAT, system: 'other' }] } })), false);
  assert.equal(isRedacted(resource({ meta: { security: [{ ...NOPAT, code: 'V' }] } })), false);
});

test('UK06 cannot carry the mark', () => {
  const redacted = resource({ meta: { security: [NOPAT] } });
  assert.equal(redactionToHl7(redacted, { redactions: false }), null);
  assert.equal(redactionToHl7(redacted, { redactions: true })?.name, 'confidentialityCode');
});

test('one marked element is enough, an unknown mark is taken for one and told, a known other is none', () => {
  const s = heard();
  assert.equal(redactionToFhir([undefined, readXml('<s/>'), marked('NOPAT')], s)?.[0]?.code, 'NOPAT');
  assert.equal(redactionToFhir([marked('NOSCRUB')], s), undefined);
  assert.equal(s.remarks.length, 0);
  assert.equal(redactionToFhir([marked('X')], s)?.[0]?.code, 'NOPAT');
  assert.equal(s.remarks.length, 1);
});
