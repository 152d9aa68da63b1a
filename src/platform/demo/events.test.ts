import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEvent } from '../../mi/check.ts';
import { EVENTS, type EventPath } from '../../mi/terms.ts';
import type { StoredEvent } from '../store/events.ts';
import { chanceOf } from './chance.ts';
import { syntheticEngland } from './england.ts';
import { eventsOf, registrationOf } from './events.ts';
import { transfersOf } from './transfers.ts';

test('every event that synthetic practices tell is one that the national service would take', () => {
  const chance = chanceOf(5);
  const transfers = [...transfersOf(syntheticEngland(5, 60), { year: 2026, month: 10 }, 5)].slice(0, 400);
  const end = Date.UTC(2027, 0, 1);
  const events = transfers.flatMap((each) => [...eventsOf(each, end * 1000, chance), ...registrationOf(each, end * 1000, chance)]);
  const paths = new Set(events.map(pathOf));
  for (const event of events) {
    const checked = checkEvent(pathOf(event), bodyOf(event), 'compatible', end / 1000);
    assert.ok('event' in checked, JSON.stringify([event, checked]));
  }
  assert.deepEqual(
    Object.keys(EVENTS).filter((path) => path !== 'ehr-degrades' && !paths.has(path as EventPath)),
    [],
  );
});

function pathOf({ type }: StoredEvent): EventPath {
  const found = (Object.keys(EVENTS) as EventPath[]).find((path) => EVENTS[path].type === type);
  assert.ok(found, type);
  return found;
}

function bodyOf({ at, conversation, supplier, reporting, requesting, sending, payload }: StoredEvent) {
  return {
    conversationId: conversation,
    registrationEventDateTime: at,
    reportingSystemSupplier: supplier,
    reportingPracticeOdsCode: reporting,
    requestingPracticeOdsCode: requesting,
    ...(sending !== null && { sendingPracticeOdsCode: sending }),
    ...(payload !== null && { payload: JSON.parse(payload) as unknown }),
  };
}
