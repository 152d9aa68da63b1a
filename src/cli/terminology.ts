import { resolve } from 'node:path';
import { Command } from 'commander';
import type { About } from '../terminology/file.ts';
import type { Built, Progress } from './terminology/build.ts';

const HELP = `
A release of SNOMED CT (RF2) comes from TRUD under a licence of yours; none is part of this program. One built file serves conversions:
  gp2gp convert --to fhir extract.xml --terminology snomed.terminology
A running node reads it anew when it is replaced (setting terminology.file).`;

const BUILD_HELP = `
SOURCE is a release as it came (a zip) or the folder it was unzipped into; several are merged, the newest row of each component counts:
the United Kingdom's monolith alone, or international, clinical and drug extension. Read are the Snapshot files of Concept, Description,
Relationship, Language, Association and SimpleMap (CTV3), also of beta releases; and of the NHS Data Migration pack rcsctmap2_uk_*.txt and
ctv3sctmap2_uk_*.txt, the maps from Read v2 and CTV3.

Examples:
  gp2gp terminology build uk_sct2mo_42.0.0_20260408000001Z.zip -o snomed.terminology
  gp2gp terminology build uk_sct2mo_42.0.0_20260408000001Z.zip nhs_datamigration.zip -o snomed.terminology --json`;

const INSPECT_HELP = `
Exit code without codes: 0 it has every well-known immunisation, 1 some are missing; 2 the file cannot be used.

Examples:
  gp2gp terminology inspect snomed.terminology
  gp2gp terminology inspect snomed.terminology 38598009 246B.`;

/** `terminology`: builds the file that conversions look codes up in, and says what is in one. */
export function terminologyCommand(): Command {
  const build = new Command('build')
    .description('build one compact file from a release of SNOMED CT')
    .argument('<source...>', 'releases: zips or folders with RF2 Snapshot files')
    .requiredOption('-o, --output <file>', 'the file to write')
    .option('--json', 'print one line of JSON at the end; progress goes to standard error')
    .addHelpText('after', BUILD_HELP)
    .action(runBuild);
  const inspect = new Command('inspect')
    .description('say what is in a built file, or what it knows of some codes')
    .argument('<file>', 'a file that `terminology build` wrote')
    .argument('[code...]', 'codes of SNOMED CT, Read v2 or CTV3: what is known of each')
    .option('--json', 'one line of JSON')
    .addHelpText('after', INSPECT_HELP)
    .action(runInspect);
  return new Command('terminology')
    .description('build and inspect a file of SNOMED CT terms')
    .addCommand(build)
    .addCommand(inspect)
    .addHelpText('after', HELP);
}

async function runBuild(sources: readonly string[], { output, json }: { output: string; json?: boolean }): Promise<void> {
  const { buildTerminology } = await import('./terminology/build.ts');
  const from = performance.now();
  const out = json ? process.stderr : process.stdout;
  const progress = progressOn(out);
  const built = await buildTerminology(sources, resolve(output), progress).finally(progress.clear);
  const seconds = Math.round((performance.now() - from) / 100) / 10;
  if (json) process.stdout.write(`${JSON.stringify({ ...built, complete: built.lacks.length === 0, seconds })}\n`);
  else out.write(`${inWords(built)}written: ${built.file}, ${megabytes(built.bytes)} in ${seconds} s\n`);
  for (const warning of warningsOf(built)) process.stderr.write(`gp2gp: ${warning}\n`);
}

async function runInspect(file: string, codes: readonly string[], { json }: { json?: boolean }): Promise<void> {
  const { loadTerminology } = await import('../service/terminology.ts');
  const { about, memory } = await loadTerminology(file);
  if (codes.length > 0) {
    const { openRelease } = await import('../terminology/release.ts');
    const { explain, explanationInWords } = await import('./terminology/explain.ts');
    const release = openRelease(memory);
    const explained = codes.map((code) => explain(code, release));
    process.stdout.write(
      json ? `${JSON.stringify({ release: about.release, codes: explained })}\n` : explained.map(explanationInWords).join(''),
    );
    return;
  }
  const complete = about.lacks.length === 0;
  process.stdout.write(json ? `${JSON.stringify({ ...about, complete, bytes: memory.byteLength })}\n` : inWords(about));
  if (!complete) process.exitCode = 1;
}

/** One line that is written over on a terminal; elsewhere a line for each file. */
function progressOn(out: NodeJS.WriteStream): Progress & { clear(): void } {
  let name = '';
  let drawn = 0;
  const draw = (text: string) => void out.write(out.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  return {
    file(next) {
      name = next;
      if (!out.isTTY) draw(`reading ${next}`);
    },
    read(bytes, of) {
      if (!out.isTTY || performance.now() - drawn < 100) return;
      drawn = performance.now();
      draw(`${Math.floor((100 * bytes) / of)} % read, ${name}`);
    },
    phase: draw,
    clear: () => void (out.isTTY && out.write('\r\x1b[K')),
  };
}

function inWords({ release, effectiveTime, counts, lacks }: About): string {
  const number = (value: number) => value.toLocaleString('en-GB');
  return [
    `release: ${release}${effectiveTime && `, files up to ${effectiveTime}`}`,
    `concepts: ${number(counts.concepts)}, ${number(counts.activeConcepts)} of them active`,
    `descriptions: ${number(counts.descriptions)}, ${number(counts.activeDescriptions)} of them active`,
    `concepts with a preferred term: ${number(counts.preferredTerms)}`,
    `is-a relationships: ${number(counts.isA)}`,
    `immunisations: ${number(counts.immunisations)} concepts`,
    `concepts no longer used with a successor: ${number(counts.history)} links`,
    `codes of Read v2 mapped: ${number(counts.readMaps)}, of CTV3: ${number(counts.ctv3Maps)}`,
    lacks.length === 0 ? 'check: every well-known immunisation is there' : `check: immunisations missing: ${lacks.join(', ')}`,
    '',
  ].join('\n');
}

/** What is not wrong in itself, but not what somebody wants who builds from a national release. */
function warningsOf({ counts, lacks }: Built): string[] {
  return [
    counts.preferredTerms === 0 ? 'no concept has a preferred term: is the Language file missing?' : '',
    counts.isA === 0 ? 'there is no is-a relationship: is the Relationship file missing?' : '',
    lacks.length > 0
      ? 'the release is not whole: vaccinations may be read as observations. `terminology inspect` names what is missing.'
      : '',
  ].filter((warning) => warning !== '');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
