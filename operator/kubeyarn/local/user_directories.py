"""Where a local cluster keeps things: the cache of programs, the state of each cluster."""

from __future__ import annotations

import os
from pathlib import Path

from kubeyarn.local.binaries import KUBERNETES_VERSION


def cache_directory() -> Path:
    """The per-user cache of programs and images, keyed by the Kubernetes version.

    KUBEYARN_CACHE_DIR names it outright, else XDG_CACHE_HOME, else ~/.cache.
    """
    explicit = os.environ.get("KUBEYARN_CACHE_DIR")
    base = Path(explicit) if explicit else _base("XDG_CACHE_HOME", ".cache") / "kubeyarn"
    return base / KUBERNETES_VERSION


def state_directory() -> Path:
    """The per-user directory of all local clusters' state.

    KUBEYARN_STATE_DIR names it outright, else XDG_STATE_HOME, else ~/.local/state.
    """
    explicit = os.environ.get("KUBEYARN_STATE_DIR")
    return Path(explicit) if explicit else _base("XDG_STATE_HOME", ".local/state") / "kubeyarn"


def _base(variable: str, below_home: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / below_home
