import { add, type Chart, coded, concept, extension, NOPAT, type Ref, SCT, timeOf } from './chart.ts';
import type { Occasion } from './items.ts';
import { VISITS } from './words.ts';

/** What was entered under one heading of a topic. */
export type Heading = { readonly title: string; readonly items: readonly Ref[] };
export type Topic = { readonly title: string | null; readonly problem: Ref | null; readonly headings: readonly Heading[] };

/**
 * An encounter, whose items are known only after it exists: `open` gives the occasion to enter them on, `close` writes the
 * encounter and its lists: consultation, topics, headings, as GP Connect nests them.
 */
export function openConsultation(chart: Chart, at: Date, by: Ref): { readonly on: Occasion; close(topics: readonly Topic[]): void } {
  const { chance } = chart;
  const id = chance.uuid();
  const encounter = { reference: `Encounter/${id}` };
  const [type, title] = chance.pick(VISITS);
  const list = (listId: string, code: string, display: string, entries: readonly Ref[], more: Record<string, unknown>): Ref =>
    add(
      chart,
      'List',
      {
        status: 'current',
        mode: 'snapshot',
        ...more,
        code: coded(SCT, code, display),
        subject: chart.patient,
        encounter,
        date: timeOf(at),
        orderedBy: coded('http://hl7.org/fhir/list-order', 'system', 'Sorted by System'),
        entry: entries.map((item) => ({ item })),
      },
      { id: listId },
    );
  return {
    on: { at, by, encounter },
    close: (topics) => {
      const participant = (system: string, code: string, display: string) => ({ type: [coded(system, code, display)], individual: by });
      add(
        chart,
        'Encounter',
        {
          security: chance.happens(0.01) ? NOPAT : undefined,
          status: 'finished',
          type: [concept(type, { text: title })],
          subject: chart.patient,
          participant: [
            participant('http://hl7.org/fhir/v3/ParticipationType', 'PPRF', 'primary performer'),
            participant('https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-ParticipantType-1', 'REC', 'recorder'),
          ],
          period: { start: timeOf(at) },
          location: [{ location: chart.practice.location }],
          serviceProvider: chart.practice.organisation,
        },
        { id, list: '1149501000000101' },
      );
      const topicRefs = topics.map((topic, t) => {
        const headings = topic.headings.map((heading, h) =>
          list(`${id}-T${t}-H${h}`, '24781000000107', 'Category (EHR)', heading.items, { title: heading.title }),
        );
        return list(`${id}-T${t}`, '25851000000105', 'Topic (EHR)', headings, {
          ...(topic.title !== null && { title: topic.title }),
          ...(topic.problem && {
            extension: [extension('RelatedProblemHeader-1', { extension: [{ url: 'target', valueReference: topic.problem }] })],
          }),
        });
      });
      list(`${id}-C`, '325851000000107', 'Consultation', topicRefs, { title });
    },
  };
}

/** The lists of a whole record by kind; empty ones say so. */
export function addRecordLists(chart: Chart): void {
  for (const [code, display, title] of RECORD_LISTS) {
    const entries = chart.lists.get(code) ?? [];
    add(chart, 'List', {
      extension: [
        {
          url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ClinicalSetting-1',
          valueCodeableConcept: coded(SCT, '1060971000000108', 'General practice service'),
        },
      ],
      status: 'current',
      mode: 'snapshot',
      title,
      code: coded(SCT, code, display),
      subject: chart.patient,
      date: timeOf(chart.asOf),
      orderedBy: coded('http://hl7.org/fhir/list-order', 'event-date', 'Sorted by Event Date'),
      ...(entries.length
        ? { entry: entries.map((item) => ({ item })) }
        : {
            note: [{ text: 'Information not available' }],
            emptyReason: coded(
              'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-ListEmptyReasonCode-1',
              'no-content-recorded',
              'No Content Recorded',
            ),
          }),
    });
  }
}

const RECORD_LISTS = [
  ['886921000000105', 'Allergies and adverse reactions', 'Allergies and adverse reactions'],
  ['1103671000000101', 'Ended allergies', 'Ended allergies'],
  ['1102181000000102', 'Immunisations', 'Immunisations'],
  ['887191000000108', 'Investigations and results', 'Investigations and results'],
  ['1149501000000101', 'List of consultations', 'List of consultations'],
  ['933361000000108', 'Medications and medical devices', 'Medications and medical devices'],
  ['826501000000100', 'Miscellaneous record', 'Uncategorised data'],
  ['792931000000107', 'Outbound referral', 'Outbound referral'],
  ['714311000000108', 'Patient recall administration', 'Patient recall administration'],
  ['717711000000103', 'Problems', 'Problems'],
] as const;
