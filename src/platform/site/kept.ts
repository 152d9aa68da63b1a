import type { Answer } from './answer.ts';

/** Answers larger than this are made anew each time. */
const LARGEST = 2_000_000;
const ROOM = 64_000_000;

/**
 * Keeps answers for some minutes, so that a flood of readers costs no queries, and for longer where the database is away: what was true an
 * hour ago is better than an error. The least recently used goes when the room is full.
 */
export function keepAnswers(options: {
  readonly freshMs: number;
  readonly now?: () => number;
  readonly onStale?: (thrown: unknown) => void;
}) {
  const { freshMs, now = Date.now, onStale } = options;
  const kept = new Map<string, { readonly answer: Answer; readonly at: number }>();
  const making = new Map<string, Promise<Answer>>();
  let used = 0;

  const forget = (key: string) => {
    const found = kept.get(key);
    if (!found) return;
    used -= found.answer.body.length;
    kept.delete(key);
  };
  const keep = (key: string, answer: Answer) => {
    forget(key);
    if (answer.status !== 200 || answer.body.length > LARGEST) return;
    kept.set(key, { answer, at: now() });
    used += answer.body.length;
    for (const oldest of kept.keys()) {
      if (used <= ROOM) break;
      forget(oldest);
    }
  };

  return {
    /** The kept answer while it is fresh; else a new one, made once however many ask for it. */
    async of(key: string, make: () => Promise<Answer>): Promise<Answer> {
      const found = kept.get(key);
      if (found && now() - found.at < freshMs) {
        // Last used, last to go.
        kept.delete(key);
        kept.set(key, found);
        return found.answer;
      }
      const running = making.get(key);
      if (running) return running;
      const made = make()
        .then((answer) => {
          keep(key, answer);
          return answer;
        })
        .catch((thrown: unknown) => {
          if (!found) throw thrown;
          onStale?.(thrown);
          return found.answer;
        })
        .finally(() => making.delete(key));
      making.set(key, made);
      return made;
    },
  };
}
