"""What a word is, how input is split, how counts are put together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.examples.wordcount import splits, words


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        (b"the cat, The CAT", {"the": 2, "cat": 2}),
        (b"self.x_1 = 0x1F", {"self": 1, "x": 2, "f": 1}),
        ("Straße STRASSE".encode(), {"straße": 1, "strasse": 1}),
        (b"a\xffb", {"a": 1, "b": 1}),
        (b"", {}),
        (b"12 34 _ -", {}),
    ],
    ids=["case", "identifiers", "letters beyond ASCII", "no UTF-8", "nothing", "no letters"],
)
def test_a_word_is_a_run_of_letters_lower_cased(text, counted):
    assert words.count(text) == counted


def test_a_word_has_the_same_partition_in_every_process():
    """`hash` would differ from process to process; these numbers must not change."""
    assert [words.partition(w, 7) for w in ("self", "the", "straße")] == [5, 3, 4]


counts = st.dictionaries(st.text(alphabet="abcäöß", min_size=1), st.integers(1, 50)).map(Counter)


@given(counts, st.integers(1, 5))
def test_partitions_hold_every_word_once(counted, partitions):
    parts = words.split(counted, partitions)

    assert len(parts) == partitions
    assert sum(parts, Counter()) == counted


@given(st.lists(counts, max_size=4), st.integers(1, 4))
def test_maps_and_reduces_sum_up_to_what_one_process_counts(maps, partitions):
    whole = words.summarize([words.encode(sum(maps, Counter()))])
    split = [[words.encode(part) for part in words.split(m, partitions)] for m in maps]
    reduced = [words.encode(words.add(m[p] for m in split)) for p in range(partitions)]

    assert words.summarize(reduced) == whole


@given(counts)
def test_encoded_counts_are_read_back_sorted(counted):
    pairs = list(words.decode(words.encode(counted)))

    assert pairs == sorted(counted.items())


def test_the_most_frequent_words_come_first_and_equal_ones_by_word():
    summary = words.summarize([words.encode(Counter({"b": 2, "a": 2, "z": 9, "c": 1}))], top=3)

    assert summary.top == (("z", 9), ("a", 2), ("b", 2))
    assert (summary.words, summary.distinct) == (14, 4)


def a_file(name: str, size: int) -> splits.File:
    return splits.File(name, size)


def test_splits_have_about_equal_bytes_and_keep_the_order():
    files = [a_file(f"f{n}", 10) for n in range(10)]

    groups = splits.group(files, 3)
    assert [len(g) for g in groups] == [3, 4, 3]
    assert [f for g in groups for f in g] == files


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30), st.integers(1, 40))
def test_no_file_is_lost_or_split_and_no_split_is_empty(sizes, number):
    files = [a_file(f"f{n}", size) for n, size in enumerate(sizes)]

    groups = splits.group(files, number)
    assert [f for g in groups for f in g] == files
    assert all(groups)
    assert len(groups) <= number


def test_no_files_are_an_error():
    with pytest.raises(splits.InputError, match="no files"):
        splits.group([], 3)


def test_input_is_found_once_sorted_and_without_a_config_maps_hidden_copies(tmp_path: Path):
    data = tmp_path / "..2026_01_01"
    data.mkdir()
    (data / "b.txt").write_text("bb")
    (tmp_path / "..data").symlink_to(data.name)
    (tmp_path / "b.txt").symlink_to("..data/b.txt")
    (tmp_path / "a.txt").write_text("a")

    found = splits.find([str(tmp_path), str(tmp_path / "a.txt")])
    assert found == [a_file(str(tmp_path / "a.txt"), 1), a_file(str(tmp_path / "b.txt"), 2)]


def test_a_missing_path_is_named():
    with pytest.raises(splits.InputError, match="/no/such"):
        splits.find(["/no/such"])


def test_a_file_that_changed_is_not_counted(tmp_path: Path):
    (tmp_path / "a").write_text("abc")

    with pytest.raises(splits.InputError, match="found 3 bytes, expected 4"):
        splits.read(a_file(str(tmp_path / "a"), 4))


def test_the_standard_library_is_python_sources_only_and_nothing_installed():
    found = splits.standard_library()

    assert len(found) > 200
    assert all(f.path.endswith(".py") for f in found)
    assert not [f for f in found if "site-packages" in f.path or "dist-packages" in f.path]
    assert found == sorted(found, key=lambda f: f.path)
