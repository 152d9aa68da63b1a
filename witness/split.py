"""Splits the kept requests of a hub with Python's own email package, and says what it found: one JSON object a line.

usage: split.py DIR OUT   (HL7 payloads are left in OUT as NNNN.xml)
"""

import email
import email.policy
import hashlib
import json
import pathlib
import sys

source, out = map(pathlib.Path, sys.argv[1:3])
out.mkdir(parents=True, exist_ok=True)
for path in sorted(source.glob("*.mime")):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.HTTP)
    parts = []
    for number, part in enumerate(message.iter_parts() if message.is_multipart() else [message]):
        body = part.get_payload(decode=True)
        parts.append(
            {
                "contentId": (part["Content-Id"] or "").strip("<> "),
                "contentType": part.get_content_type(),
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )
        if number == 1:
            (out / (path.name.split("-")[0] + ".xml")).write_bytes(body)
    print(json.dumps({"file": path.name, "defects": [repr(d) for d in message.defects], "parts": parts}))
