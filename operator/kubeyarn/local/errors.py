"""The one error of this room."""

from __future__ import annotations

from kubeyarn.model.errors import KubeYarnError


class LocalClusterError(KubeYarnError):
    """A local cluster cannot do what was asked; the message says what to do about it."""
