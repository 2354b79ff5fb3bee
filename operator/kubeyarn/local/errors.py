"""The one error of this room."""

from __future__ import annotations


class LocalClusterError(Exception):
    """A local cluster cannot do what was asked; the message says what to do about it."""
