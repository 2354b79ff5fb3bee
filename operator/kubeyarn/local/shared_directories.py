"""Directories that several clusters of one machine share."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IN_USE_OR_GONE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT)


def remove_if_empty(*directories: Path) -> None:
    """Remove those directories that are there and hold nothing, one after the other.

    Other clusters come and go at the same time, so only the kernel can say whether one is empty.
    """
    for directory in directories:
        try:
            directory.rmdir()
        except OSError as error:
            if error.errno not in _IN_USE_OR_GONE:
                raise
