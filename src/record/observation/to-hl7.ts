import type { Observation } from '../../fhir/types.ts';
import type { MapToHl7 } from '../types.ts';
import { panelStatement } from './panel.ts';
import { commentStatement, measurement } from './statement.ts';
import { isCommentNote } from './terms.ts';

/** An observation outside reports: a comment note becomes a narrative, a panel with members a compound, any other a statement. */
export const observationToHl7: MapToHl7<Observation> = (observation, place, s) => {
  if (isCommentNote(observation.code)) return commentStatement(observation, place, s);
  return panelStatement(observation, place, s) ?? [measurement(observation, place.statementId, s)];
};
