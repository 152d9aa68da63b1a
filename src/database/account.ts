import { mkdir, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Fault, reasonOf } from '../base/errors.ts';

/** Who the server runs as. Null: as this process, which is unprivileged already. */
export type Account = { readonly uid: number; readonly gid: number } | null;

/** PostgreSQL refuses to run as root; then it gets the account `nobody`. Also refused by `initdb`: a user id without an entry. */
export async function serverAccount(): Promise<Account> {
  if (typeof process.getuid !== 'function') return null;
  if (process.getuid() !== 0) {
    try {
      userInfo();
    } catch (cause) {
      throw new Fault('database.noAccount', `user id ${process.getuid()} has no entry in /etc/passwd, and initdb insists on one`, {
        remedy: 'Add an entry for that user id, or set database.url to a PostgreSQL server of your own.',
        cause,
      });
    }
    return null;
  }
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const nobody = accounts.find(([name]) => name === 'nobody') ?? accounts.find(([, , uid]) => uid === '65534');
  if (!nobody) {
    throw new Fault('database.noAccount', 'this process is root, and /etc/passwd has no account "nobody" to run PostgreSQL as', {
      remedy: 'Run as an ordinary user, or set database.url to a PostgreSQL server of your own.',
    });
  }
  return { uid: Number(nobody[2]) >>> 0, gid: Number(nobody[3]) >>> 0 };
}

/** Makes the folder and says in clear words why it cannot be used: not writable, or closed to the account that the server runs as. */
export async function usableFolder(folder: string, account: Account): Promise<void> {
  const remedy = 'Choose another data folder (--data, or data in the configuration).';
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new Fault('database.folder', `cannot make the data folder ${folder}: ${reasonOf(cause)}`, { remedy, cause });
  }
  if (!account) return;
  for (let path = resolve(folder); ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const open = uid === account.uid ? mode & 0o100 : gid === account.gid ? mode & 0o010 : mode & 0o001;
    if (!open) {
      throw new Fault(
        'database.folder',
        `PostgreSQL runs as user id ${account.uid}, who may not pass through ${path} (mode ${(mode & 0o777).toString(8)})`,
        { remedy: `${remedy} Or allow it: chmod o+x ${path}` },
      );
    }
    if (path === dirname(path)) return;
  }
}
