import type pg from 'pg';

/** What whoever reads the guide calls a phase, and the states that it has. `acknowledging`: ended, and its last word has not left. */
const STATES = {
  requesting: {
    'before the request': ['checking'],
    waiting: ['waitingForExtract'],
    receiving: ['collecting'],
    filing: ['converting', 'waitingForDecision', 'filing'],
    acknowledging: ['ended, unsent'],
  },
  sending: {
    'before the answer': ['checking'],
    fetching: ['fetching', 'converting'],
    'sending the record': ['sendingCore', 'waitingForContinue'],
    'sending its parts': ['sendingParts'],
    'waiting for the acknowledgement': ['waitingForAnswer'],
  },
} as const;

/** `role: phase` of both roles. */
export const PHASES: readonly string[] = Object.entries(STATES).flatMap(([role, phases]) =>
  Object.keys(phases).map((phase) => `${role}: ${phase}`),
);

/** Phases that some transfer of these databases stands in at this moment. */
export async function occupiedPhases(clients: readonly pg.Client[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const client of clients) {
    const { rows } = await client.query<{ role: keyof typeof STATES; state: string }>(`
      select t.role, case when t.state = 'ended' then 'ended, unsent' else t.state end as state from transfers t
      where t.state <> 'ended' or exists (select from outbox o where o.transfer = t.id and o.kind = 'message')`);
    for (const { role, state } of rows)
      for (const [phase, states] of Object.entries(STATES[role]))
        if ((states as readonly string[]).includes(state)) found.add(`${role}: ${phase}`);
  }
  return found;
}
