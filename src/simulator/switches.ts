import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { answerJson, parsed, readJsonObject } from './http.ts';

/** Troubles that a simulated service can be told to show; each has its own beside these. */
export const TROUBLES = {
  /** Every request is answered so. */
  status: z.int().min(400).max(599).optional(),
  delayMs: z.number().min(0).max(600_000).optional(),
  /** Connections are closed unread. */
  outage: z.boolean().optional(),
  /** So many requests, then none; left out, until told otherwise. */
  times: z.int().min(0).optional(),
};

export type Switches<Troubles> = {
  current(): Troubles;
  set(troubles: Troubles): void;
  /** Whether a trouble with a count still applies, and one use of it. */
  used(): boolean;
  /** `PUT /control/switches` */
  control(request: IncomingMessage, response: ServerResponse): Promise<void>;
};

/** The switches of one service, all off. */
export function makeSwitches<Troubles extends { readonly times?: number | undefined }>(
  schema: z.ZodType<Troubles>,
  off: Troubles,
): Switches<Troubles> {
  let current = off;
  return {
    current: () => current,
    set: (troubles) => {
      current = troubles;
    },
    used() {
      if (current.times === undefined) return true;
      if (current.times <= 0) return false;
      current = { ...current, times: current.times - 1 };
      return true;
    },
    async control(request, response) {
      current = parsed(schema, await readJsonObject(request));
      answerJson(response, 200, current);
    },
  };
}
