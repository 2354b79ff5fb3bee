r"""What a word is, how words are counted, and how counts are written down. Pure.

A word is a longest run of letters, lower-cased: whatever matches `[^\W\d_]+` in the text, which is
read as UTF-8 (bytes that are no UTF-8 read as U+FFFD, which is no letter). Counts are written as
lines of word, tab, number, sorted by word in the order of code points.
"""

from __future__ import annotations

import hashlib
import heapq
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts in short: *words* in all, *distinct* ones, and the sha256 of all sorted lines.

    *top* is the most frequent words with their numbers; equally frequent ones by word.
    """

    words: int
    distinct: int
    sha256: str
    top: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, object]:
        """As it stands in the result line."""
        return {
            "words": self.words,
            "distinct": self.distinct,
            "sha256": self.sha256,
            "top": [list(entry) for entry in self.top],
        }


def count(text: bytes) -> Counter[str]:
    """How often each word stands in *text*."""
    return Counter(WORD.findall(text.decode("utf-8", "replace").lower()))


def partition(word: str, partitions: int) -> int:
    """Which of *partitions* counts *word*; the same in every process (unlike `hash`)."""
    return zlib.crc32(word.encode()) % partitions


def split(counts: Counter[str], partitions: int) -> list[Counter[str]]:
    """The counts of each partition."""
    parts: list[Counter[str]] = [Counter() for _ in range(partitions)]
    for word, number in counts.items():
        parts[partition(word, partitions)][word] = number
    return parts


def encode(counts: Counter[str]) -> bytes:
    """The counts as sorted lines."""
    return "".join(f"{word}\t{counts[word]}\n" for word in sorted(counts)).encode()


def decode(lines: bytes) -> Iterator[tuple[str, int]]:
    """The counts of *lines*, in their order.

    Raises:
        ValueError: a line is not word, tab, number.
    """
    for line in lines.decode().split("\n")[:-1]:
        word, _, number = line.partition("\t")
        yield word, int(number)


def add(parts: Iterable[bytes]) -> Counter[str]:
    """The sum of encoded counts."""
    counts: Counter[str] = Counter()
    for part in parts:
        for word, number in decode(part):
            counts[word] += number
    return counts


def summarize(parts: Iterable[bytes], top: int = 10) -> Summary:
    """Sum up encoded counts that have no word in common."""
    words = distinct = 0
    digest = hashlib.sha256()
    best: list[tuple[int, str]] = []
    merged = heapq.merge(*(decode(part) for part in parts))
    for word, number in merged:
        words += number
        distinct += 1
        digest.update(f"{word}\t{number}\n".encode())
        best.append((-number, word))
    most = tuple((word, -negative) for negative, word in heapq.nsmallest(top, best))
    return Summary(words, distinct, digest.hexdigest(), most)
