import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where data lie unless something else is said: the user's data directory, as the XDG base directory specification has it. For root
 * that of the system: PostgreSQL never runs as root, and root's own folders are closed to everybody else.
 */
export function defaultDataFolder(of: 'demo' | 'node' | 'platform'): string {
  const own = process.env['XDG_DATA_HOME'] ?? (process.getuid?.() === 0 ? '/var/lib' : join(homedir(), '.local', 'share'));
  return join(own, 'gp2gp', of);
}
