// Keeps compiled code and type-stripped TypeScript between runs: programs are ready about twice as fast, and each process and each
// conversion thread spares the 20 MB and more that stripping takes.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// The user's own cache directory, not a shared /tmp: what lies there is executed. Node keeps its versions apart below it.
const folder = process.env.NODE_COMPILE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gp2gp', 'compile');
// Worker threads and child processes take it from the environment. Where it cannot be written, everything runs without.
if (module.enableCompileCache(folder).status !== module.constants.compileCacheStatus.FAILED) process.env.NODE_COMPILE_CACHE = folder;
