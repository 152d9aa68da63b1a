"""Counts a run of the fault test again from what it left, and prints the line that `gp2gp torture --json` prints.

usage: recount.py DIR      (DIR is what `gp2gp torture --keep DIR` left)

The line goes to standard output, what is wrong to standard error, one finding a line. Exit code 0: every transfer ended as it was meant
to, nothing is lost, duplicated or stuck. 1: something is. 2: the folder cannot be read.

Only the standard library is used, and nothing of the program that made the folder. Each transfer is followed through four witnesses who
know nothing of each other: the hub's ledger, the database of each side, and the files of the practices' own systems.
"""

import collections
import hashlib
import json
import pathlib
import sys

REQUEST, ANSWER = "RCMR_IN010000UK05", "MCCI_IN010000UK13"
CORES = ("RCMR_IN030000UK06", "RCMR_IN030000UK07")
# Entries of a record that keep their id on the way, and those that are told by their number only. Of the last two the receiving side
# may make more than were sent: what stood outside any consultation gets one, and what has no type of its own becomes a note.
NAMED = {
    "AllergyIntolerance", "Condition", "DiagnosticReport", "DocumentReference", "Encounter", "Immunization", "Observation",
    "ProcedureRequest", "ReferralRequest", "Specimen",
}
NUMBERED = {"Patient", "Medication", "MedicationRequest", "MedicationStatement"}
MAY_GROW = {"Encounter", "Observation"}
EXPLAINED = {"statement.asText", "statement.notCarried"}


def main(folder):
    try:
        run = Run(pathlib.Path(folder))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        print(f"{folder}: cannot be read: {fault!r}", file=sys.stderr)
        return 2
    for about, kind, text in run.findings():
        print(f"{kind}: {about}: {text}", file=sys.stderr)
    line = run.line()
    print(json.dumps(line, separators=(",", ":")))
    whole = line["integrated"] + line["rejectedAsDesigned"] == line["transfers"]
    return 0 if whole and line["lost"] + line["duplicated"] + line["stuck"] == 0 else 1


class Run:
    def __init__(self, folder):
        self.folder = folder
        plan = json.loads((folder / "plan.json").read_text())
        self.meant = plan["transfers"]
        self.side = {practice["ods"]: practice["side"] for practice in plan["practices"]}
        self.party = {practice["ods"]: practice["partyKey"] for practice in plan["practices"]}
        self.side_of_party = {practice["partyKey"]: practice["side"] for practice in plan["practices"]}
        self.kills = sum(kill.get("signal") == "SIGKILL" for kill in rows(folder / "kills.jsonl"))
        self.ledger = list(rows(folder / "ledger.jsonl"))
        self.tables = collections.defaultdict(dict)
        for side in sorted(set(self.side.values())):
            for table in ("transfers", "inbox", "outbox", "parts", "outgoing_parts", "sent_messages", "history", "tasks"):
                self.tables[side][table] = list(rows(folder / "database" / side / f"{table}.jsonl"))
        self.wrong = []
        self.ends = {}
        self.follow_messages()
        for meant in self.meant:
            self.follow_transfer(meant)

    def tell(self, about, kind, text):
        self.wrong.append((about, kind, text))

    def findings(self):
        return self.wrong

    def line(self):
        bad = {about for about, _, _ in self.wrong}
        right = [end for about, (end, meant) in self.ends.items() if end in meant and about not in bad]
        count = lambda kind: len({about for about, found, _ in self.wrong if found == kind})
        return {
            "transfers": len(self.meant),
            "kills": self.kills,
            "integrated": sum(end == "integrated" for end in right),
            "rejectedAsDesigned": sum(end != "integrated" for end in right),
            "lost": count("lost"),
            "duplicated": count("duplicated"),
            "stuck": count("stuck"),
        }

    # ---- messages: whoever was told that one is safe must be right

    def follow_messages(self):
        kept = {}
        for side, tables in self.tables.items():
            for row in tables["inbox"]:
                kept[side, row["from_party_key"], upper(row["message_id"])] = row
        fate = {}
        for line in self.ledger:
            if line["direction"] in ("delivered", "failed"):
                fate[line["from"], upper(line["messageId"])] = line
        for line in self.ledger:
            sender, message = line["from"], upper(line["messageId"])
            if line["direction"] != "accepted" or sender not in self.side_of_party:
                continue
            about, name = upper(line["conversationId"]), f"{line['interaction']} {message} of {sender}"
            if line.get("altered"):
                self.tell(about, "duplicated", f"{name}: the hub got other bytes under the same id")
            if line.get("duplicate"):
                continue
            # Who is no practice of the plan keeps books of its own.
            if line["to"] not in self.side_of_party:
                continue
            there = (self.side_of_party.get(line["to"]), sender, message) in kept
            end = fate.get((sender, message))
            if end is None and not there:
                self.tell(about, "lost", f"{name}: the hub accepted it, and nobody has it")
            elif end is not None and end["direction"] == "failed":
                self.tell(about, "lost", f"{name}: the hub accepted it and could not deliver it")
            elif end is not None and not there:
                self.tell(about, "lost", f"{name}: acknowledged by {line['to']}, who does not have it")
        for row in kept.values():
            if row.get("done_at"):
                continue
            name = f"{row['action']} {upper(row['message_id'])}"
            aside = row.get("dead_at")
            self.tell(upper(row["conversation_id"]), "lost" if aside else "stuck", f"{name}: {'put aside' if aside else 'still waits'}")
        for side, tables in self.tables.items():
            conversation = {upper(row["id"]): upper(row["conversation_id"]) for row in tables["transfers"]}
            for row in tables["outbox"]:
                if row["kind"] in ("message", "job"):
                    aside = row.get("dead_at")
                    about = conversation.get(upper(row["transfer"]), "")
                    self.tell(about, "odd" if aside else "stuck", f"{side}: {row['kind']} {row['name']} {'put aside' if aside else 'to be done'}")

    # ---- one transfer, as its two sides, the ledger and the new practice's system have it

    def follow_transfer(self, meant):
        new, old = self.side[meant["to"]], self.side[meant["from"]]
        asking = [row for row in self.tables[new]["transfers"] if row.get("registration_id") == meant["registrationId"]]
        about = upper(asking[0]["conversation_id"]) if asking else meant["registrationId"]
        self.ends[about] = (None, meant["ends"])
        if not asking:
            self.tell(about, "stuck", "no node knows the registration")
            return
        if len(asking) > 1:
            self.tell(about, "duplicated", "the registration began more than one transfer")
        answering = [
            row for row in self.tables[old]["transfers"] if row["role"] == "sending" and upper(row["conversation_id"]) == about
        ]
        if len(answering) > 1:
            self.tell(about, "duplicated", "the request began more than one transfer")
        self.follow_history(about, new, asking[0])
        if answering:
            self.follow_history(about, old, answering[0])
        end = self.end_of(about, asking[0], answering[0] if answering else None)
        self.ends[about] = (end, meant["ends"])
        if end is not None:
            if end not in meant["ends"]:
                self.tell(about, "odd", f"transfer {meant['number']} ({meant['kind']}) ended as {end}")
            if end == "integrated":
                for part in self.tables[new]["parts"]:
                    if upper(part["transfer"]) == upper(asking[0]["id"]) and not part.get("came_at"):
                        self.tell(about, "lost", f"the announced part {part['key']} never came")
            self.follow_answers(about, meant, new, old, asking[0], end)
        self.follow_filing(about, meant, new, upper(asking[0]["id"]), end)

    def follow_history(self, about, side, transfer):
        entries = [row for row in self.tables[side]["history"] if upper(row["transfer"]) == upper(transfer["id"])]
        entries.sort(key=lambda row: row["number"])
        role = transfer["role"]
        if len(entries) != transfer["version"]:
            self.tell(about, "lost", f"{role}: version {transfer['version']}, and {len(entries)} entries of history")
        if len({row["event_id"] for row in entries}) < len(entries):
            self.tell(about, "duplicated", f"{role}: one event had two effects")
        state, ends = None, 0
        for row in entries:
            if (row.get("from_state") or None) != state:
                self.tell(about, "duplicated", f"{role}: entry {row['number']} goes on from {row.get('from_state')}, the state was {state}")
            ends += row["to_state"] == "ended" and state != "ended"
            state = row["to_state"]
        if ends > 1:
            self.tell(about, "duplicated", f"{role}: ended {ends} times")

    def end_of(self, about, asking, answering):
        for row in (asking, answering):
            if row is not None and row["state"] != "ended":
                self.tell(about, "stuck", f"{row['role']}: {row['state']}")
        if asking["state"] != "ended" or (answering is not None and answering["state"] != "ended"):
            return None
        kind, detail = outcome(asking)
        other = outcome(answering) if answering is not None else (None, None)
        if kind == "integrated":
            if other != ("acknowledged", detail):
                self.tell(about, "lost", f"filed ({detail}), and the sender's end is {other}")
            return "integrated"
        if kind == "notEligible":
            agree = other == (None, None)
        elif kind == "refusedBySender":
            agree = other == ("refusedByUs", detail)
        elif other[0] == "acknowledged":
            self.tell(about, "lost", f"the sender thinks that it was filed: {kind} {detail}")
            agree = True
        else:
            agree = other == ("refusedByRequester", detail)
        if not agree:
            self.tell(about, "odd", f"the sides disagree: {kind} {detail}, {other}")
        return f"{kind} {detail}".strip()

    def follow_answers(self, about, meant, new, old, asking, end):
        within = lambda side, actions: [
            row for row in self.tables[side]["inbox"] if upper(row["conversation_id"]) == about and row["action"] in actions
        ]
        cores, answers = within(new, CORES), within(old, (ANSWER,))
        if len(cores) > 1:
            self.tell(about, "duplicated", f"{len(cores)} cores were taken")
        if not cores and (asking.get("body") or {}).get("core") is not None:
            self.tell(about, "lost", "the core is not in the inbox")
        for core in cores:
            named = [row for row in answers if upper(get(row, "message", "message", "of")) == upper(core["message_id"])]
            if len(named) != 1:
                self.tell(about, "duplicated" if named else "lost", f"{len(named)} final acknowledgements of one core")
        if end != "integrated":
            return
        # The hub, which knows no states, has to have carried the request, the core and an answer to it.
        carried = {
            (line["from"], line["interaction"])
            for line in self.ledger
            if line["direction"] == "accepted" and upper(line["conversationId"]) == about
        }
        new_party, old_party = self.party[meant["to"]], self.party[meant["from"]]
        for sender, wanted in ((new_party, {REQUEST}), (old_party, set(CORES)), (new_party, {ANSWER})):
            if not any((sender, interaction) in carried for interaction in wanted):
                self.tell(about, "lost", f"integrated, and the hub never carried {' or '.join(sorted(wanted))} of {sender}")

    # ---- what the new practice's system has on its disk

    def follow_filing(self, about, meant, side, transfer, end):
        above = self.folder / "filed" / side / meant["to"] / meant["nhsNumber"]
        filed = {}
        for place in sorted(above.iterdir()) if above.is_dir() else []:
            if (place / "filed.json").is_file():
                answer = json.loads((place / "filed.json").read_text())
                if answer.get("answer") == "filed":
                    filed[upper(place.name)] = (place, answer)
        if len(filed) > 1:
            self.tell(about, "duplicated", f"filed {len(filed)} times")
        if end != "integrated":
            if filed and end is not None:
                self.tell(about, "odd", f"filed, though it ended as {end}")
            return
        if transfer not in filed:
            self.tell(about, "lost", "acknowledged, and not filed")
            return
        place, answer = filed[transfer]
        sent = self.folder / "sent" / meant["nhsNumber"]
        self.compare_documents(about, sent, place, answer)
        self.compare_entries(about, sent, place)

    def compare_documents(self, about, sent, place, answer):
        wanted = collections.Counter(document["sha256"] for document in json.loads((sent / "documents.json").read_text()))
        there = collections.Counter()
        for document in answer.get("documents") or []:
            if document.get("missing") or not document.get("file"):
                continue
            file = place / "documents" / pathlib.PurePosixPath(document["file"]).name
            there[hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else f"absent {file.name}"] += 1
        for digest in (wanted - there).elements():
            self.tell(about, "odd" if there[digest] else "lost", f"the document {digest} was sent and is not filed")
        for digest in (there - wanted).elements():
            self.tell(about, "duplicated" if wanted[digest] else "lost", f"the document {digest} is filed and was not sent so")

    def compare_entries(self, about, sent, place):
        wanted, there = entries(sent / "record.json"), entries(place / "record.json")
        report = json.loads((place / "report.json").read_text())
        explained = sum(issue.get("code") in EXPLAINED for issue in report.get("issues") or [])
        for (kind, name), times in collections.Counter(there).items():
            if times > 1:
                self.tell(about, "duplicated", f"{kind} {name} is {times} times in the record")
        ids = {name for _, name in there}
        missing = [(kind, name) for kind, name in wanted if kind in NAMED and name not in ids]
        if len(missing) > explained:
            self.tell(about, "lost", f"{len(missing)} entries are not in the record, {explained} are explained; {missing[0]}")
        before, after = (collections.Counter(kind for kind, _ in some) for some in (wanted, there))
        for kind in sorted(NAMED | NUMBERED):
            if kind in NUMBERED and after[kind] < before[kind] - explained:
                self.tell(about, "lost", f"{before[kind]} {kind} were sent, {after[kind]} are filed")
            if after[kind] > before[kind] and kind not in MAY_GROW:
                self.tell(about, "duplicated", f"{before[kind]} {kind} were sent, {after[kind]} are filed")


def rows(path):
    with open(path, encoding="utf-8") as file:
        for text in file:
            if text.strip():
                yield json.loads(text)


def entries(path):
    found = []
    for entry in json.loads(path.read_text()).get("entry") or []:
        resource = entry.get("resource") or {}
        found.append((resource.get("resourceType", ""), upper(resource.get("id", ""))))
    return found


def outcome(row):
    said = get(row, "body", "outcome") or {}
    return said.get("kind", ""), next((str(said[name]) for name in ("answer", "code", "reason") if said.get(name)), "")


def get(row, *path):
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def upper(text):
    return str(text or "").upper()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
