import { Fault } from '../../base/errors.ts';
import type { MedicationRequest, Resource } from '../../fhir/types.ts';
import { at, child, children, type XmlElement } from '../../xml/element.ts';
import { firstCode, idOf } from '../shared/statements.ts';
import { dateTimeOf, endOf } from '../shared/times.ts';
import type { MapToFhir, ToFhir } from '../types.ts';
import { planToFhir } from './plan-to-fhir.ts';
import { type Common, commonOf, prescriptionType, requestOf } from './request-to-fhir.ts';
import { planIdOf, suppliesIn, tellsOf } from './supply.ts';

/** One MedicationStatement element: a request for each of its supplies, and for each authorisation what GP Connect calls a statement. */
export const medicationToFhir: MapToFhir = (claim, s) => {
  const { statement } = claim;
  const authorised = suppliesIn(statement, 'ehrSupplyAuthorise');
  const prescribed = suppliesIn(statement, 'ehrSupplyPrescribe');
  if (suppliesIn(statement, 'ehrSupplyDispense').length) {
    s.report({ code: 'statement.notCarried', text: 'That it was dispensed is not carried.' });
  }
  if (authorised.length + prescribed.length === 0) return withoutRequest(statement, s);
  const common = commonOf(claim, s);
  return [...prescribed.map((supply) => orderToFhir(supply, common, s)), ...authorised.flatMap((supply) => planToFhir(supply, common, s))];
};

// A discontinuation alone speaks about a plan that stands elsewhere, which asks for it.
function withoutRequest(statement: XmlElement, s: ToFhir): Resource[] {
  const ended = suppliesIn(statement, 'ehrSupplyDiscontinue').flatMap((supply) =>
    children(supply, 'reversalOf').map((reversal) => idOf(child(reversal, 'priorMedicationRef'))),
  );
  if (ended.some((plan) => s.repeatsOf(plan) !== undefined)) return [];
  throw new Fault('medication.noSupply', 'a medication statement that neither authorises nor prescribes anything known');
}

function orderToFhir(supply: XmlElement, common: Common, s: ToFhir): MedicationRequest {
  const told = tellsOf(supply);
  const { supplied, ...request } = requestOf(supply, told, common, s);
  const plan = idOf(at(supply, 'inFulfillmentOf', 'priorMedicationRef'));
  const repeats = s.repeatsOf(plan);
  if (!plan) s.report({ code: 'link.broken', text: 'The issue does not say which plan it belongs to.' });
  const start = dateTimeOf(child(supply, 'availabilityTime'), s);
  const end = firstCode(common.statement, 'moodCode') === 'ORD' ? endOf(at(common.statement, 'effectiveTime', 'high'), s) : undefined;
  const type = told.prescriptionType ?? s.prescriptionTypeOf(plan) ?? (repeats === 0 ? 'acute' : 'repeat');
  return {
    ...request,
    ...(plan && {
      extension: [prescriptionType(type)],
      basedOn: [{ reference: `MedicationRequest/${planIdOf(plan, idOf(supply), s)}` }],
    }),
    status: told.status ?? 'completed',
    intent: 'order',
    dispenseRequest: { ...supplied, ...((start || end) && { validityPeriod: { ...(start && { start }), ...(end && { end }) } }) },
  };
}
