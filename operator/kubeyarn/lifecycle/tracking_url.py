"""Where an ApplicationMaster shows its work: an address that may become a link. Pure.

As in Hadoop it is an address with or without a scheme, such as `http://am:8080/` or `am:8080`.
"""

from __future__ import annotations

import re

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d{1,5}(?:$|[/?#]))")
# These are code or content where a link is followed, with a number after them, too.
_NO_HOSTS = ("javascript", "vbscript", "data")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")
ALLOWED = "an address without spaces that begins with http://, https://, or a host's name"


def refusal(url: str) -> str:
    """Why an address may not become a link; "" if it may."""
    scheme = _SCHEME.match(url)
    known = scheme is None or scheme[1].lower() in ("http", "https")
    code = url.lower().startswith(tuple(f"{name}:" for name in _NO_HOSTS))
    if known and not code and not _CONTROL.search(url):
        return ""
    return f"found {url[:64]!r}, allowed: {ALLOWED}"
