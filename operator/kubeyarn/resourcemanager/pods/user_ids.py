"""The file that says users' UIDs, as a mounted ConfigMap: read again when it changes."""

from __future__ import annotations

import logging
from pathlib import Path

from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.pods.isolation import UserIds, read_user_ids

_log = logging.getLogger(__name__)


class UserIdsFile:
    """*path* names the file; empty: nobody is in it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._ids = UserIds()
        self._as_of: int | None = None

    def ids(self) -> UserIds:
        """What the file says now; what it said last while it cannot be read.

        Raises:
            SpecError: it never could be read, so that nobody's UID is known.
        """
        if not self._path:
            return self._ids
        try:
            changed = Path(self._path).stat().st_mtime_ns
            if changed != self._as_of:
                self._ids = UserIds(read_user_ids(Path(self._path).read_text(encoding="utf-8")))
                self._as_of = changed
        except (OSError, SpecError) as error:
            if self._as_of is None:
                what = f"the users' UIDs cannot be read from {self._path}: {error}"
                raise SpecError(what) from error
            _log.warning("%s: %s; what it said before counts", self._path, error)
        return self._ids
