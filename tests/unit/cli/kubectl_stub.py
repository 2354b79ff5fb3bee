#!/usr/bin/env python3
"""A kubectl over a JSON file, for tests of the plugin: get, patch and logs as kubectl answers.

STUB_STATE names the file: {"objects": {kind: [...]}, "logs": {pod: text}, "forbidden": [kinds],
"calls": [...]}.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def fail(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(1)


def main() -> None:
    path = Path(os.environ["STUB_STATE"])
    state = json.loads(path.read_text())
    words, flags = [], {}
    rest = sys.argv[1:]
    state["calls"].append(list(rest))
    while rest:
        word = rest.pop(0)
        if word in ("-l", "-o"):
            flags[word] = rest.pop(0)
        elif word.startswith("-"):
            name, _, value = word.partition("=")
            flags[name] = value
        else:
            words.append(word)
    path.write_text(json.dumps(state))
    namespace = flags.get("--namespace", "default")
    if words[0] == "logs":
        if words[1] not in state["logs"]:
            fail(f'Error from server (BadRequest): container "main" in pod "{words[1]}" is waiting')
        print(state["logs"][words[1]], end="")
        return
    kind = words[1]
    if kind not in state["objects"]:
        print('E1123 03:57:06.683240    6180 memcache.go:265] "Unhandled Error"', file=sys.stderr)
        fail(f'error: the server doesn\'t have a resource type "{kind.partition(".")[0]}"')
    everywhere = "-A" in flags or "--all-namespaces" in flags
    if everywhere and kind in state.get("forbidden", []):
        fail(f"Error from server (Forbidden): {kind} is forbidden: User cannot list resource")
    found = [
        item
        for item in state["objects"][kind]
        if everywhere or item["metadata"].get("namespace", namespace) == namespace
    ]
    if len(words) > 2:
        named = [item for item in found if item["metadata"]["name"] == words[2]]
        if not named:
            fail(f'Error from server (NotFound): {kind} "{words[2]}" not found')
        if words[0] == "patch":
            patch = json.loads(flags["--patch"])
            for item in state["objects"][kind]:
                if item["metadata"] == named[0]["metadata"]:
                    item["spec"].update(patch["spec"])
            path.write_text(json.dumps(state))
            return
        print(json.dumps(named[0]))
        return
    if "-l" in flags:
        label, _, value = flags["-l"].partition("=")
        found = [
            item
            for item in found
            if label in item["metadata"].get("labels", {})
            and value in ("", item["metadata"]["labels"][label])
        ]
    print(json.dumps({"kind": "List", "items": found}))


main()
