"""Several clusters of one machine come and go at the same time."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubeyarn.local import locking
from kubeyarn.local.shared_directories import remove_if_empty

ROUNDS = 200


def test_a_directory_that_holds_something_stays(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    remove_if_empty(inner, inner.parent)
    assert (inner / "file").exists()


def test_empty_directories_go_from_the_inside_out(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    remove_if_empty(inner, inner.parent)
    assert not (tmp_path / "outer").exists()


def test_a_directory_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    remove_if_empty(tmp_path / "outer" / "inner", tmp_path / "outer")


def test_what_cannot_be_removed_for_another_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        remove_if_empty(tmp_path / "file")


def test_clusters_that_end_together_remove_what_they_share_without_error(tmp_path: Path) -> None:
    shared = tmp_path / "state" / "clusters"
    together = threading.Barrier(4)

    def come_and_go(name: str) -> None:
        together.wait(10)
        for _ in range(ROUNDS):
            with locking.exclusive(shared / f".{name}.lock"):
                (shared / name).mkdir()
                os.sched_yield()
                (shared / name).rmdir()
            remove_if_empty(shared, shared.parent)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, ("a", "b", "c", "a")))
    assert not shared.parent.exists()
