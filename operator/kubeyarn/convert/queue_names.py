"""Queue names that Kubernetes allows, for queues whose names it does not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubeyarn.convert.converted import Note

_ALLOWED = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_OTHERS = re.compile(r"[^a-z0-9]+", re.ASCII)


class QueueNames:
    """The path of each YarnQueue by the queue's path in Hadoop.

    A name that is no DNS label is written in lower case, with `-` for every other character; two
    siblings that come to the same name are told apart by a number. The result hangs on the order
    of the queues in the file alone.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.notes: list[Note] = []
        self._paths: dict[str, str] = {}
        taken: set[str] = set()
        for path in paths:
            parent, _, name = path.rpartition(".")
            made = self._free(self._paths.get(parent, ""), safe_name(name), taken)
            taken.add(made)
            self._paths[path] = made
            if made.rpartition(".")[2] != name:
                message = (
                    f"found the name {name!r}, and a YarnQueue's has lower case letters, digits "
                    f"and -: the queue is {made}; applications name it by that path"
                )
                self.notes.append(Note(path, "queues", message))

    def of(self, path: str) -> str:
        """The YarnQueue's path; that of a queue that is not declared is made part by part."""
        if path in self._paths:
            return self._paths[path]
        parent, _, name = path.rpartition(".")
        return f"{self.of(parent)}.{safe_name(name)}" if parent else safe_name(name)

    @staticmethod
    def _free(parent: str, name: str, taken: set[str]) -> str:
        start = f"{parent}.{name}" if parent else name
        path, number = start, 2
        while path in taken:
            path, number = f"{start}-{number}", number + 1
        return path


def safe_name(name: str) -> str:
    """*name* as a DNS label; `queue` where nothing is left of it."""
    if _ALLOWED.fullmatch(name):
        return name
    return _OTHERS.sub("-", name.lower()).strip("-") or "queue"
