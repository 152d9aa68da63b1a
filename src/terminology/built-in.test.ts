import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInTerminology } from './built-in.ts';

test('a well-known vaccination procedure is an immunisation without a release', () => {
  assert.equal(builtInTerminology.isImmunisation('33879002'), true);
  assert.equal(builtInTerminology.isImmunisation('170399005'), true);
});

test('what is not on the list is no immunisation, and no term is invented', () => {
  assert.equal(builtInTerminology.isImmunisation('38341003'), false);
  assert.equal(builtInTerminology.isImmunisation(''), false);
  assert.equal(builtInTerminology.preferredTerm('33879002'), undefined);
  assert.equal(builtInTerminology.conceptOfDescription('65004017'), undefined);
  assert.equal(builtInTerminology.descriptionOf('38598009', 'Measles-mumps-rubella vaccination'), undefined);
  assert.equal(builtInTerminology.complete, false);
});
