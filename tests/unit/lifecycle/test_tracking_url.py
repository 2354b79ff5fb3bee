"""Addresses that ApplicationMasters say, and that others will follow."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.tracking_url import refusal


@pytest.mark.parametrize(
    "url",
    ["", "N/A", "http://am:8080/", "HTTPS://am.example.org/x?y=1#z", "am", "am:8088", "am:8088/p",
     "10.0.0.7:80", "/proxy/application_1_0001", "//am/x", "http://[fe80::1]:80/"],
)  # fmt: skip
def test_an_address_with_or_without_http_is_taken(url):
    assert refusal(url) == ""


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JavaScript:1", "javascript:1/alert(1)", "data:text/html,x",
     "vbscript:1", "file:///etc/passwd", "ftp://am/x", "am:x", "java\nscript:alert(1)",
     " javascript:alert(1)", "http://am/\x1b[31m"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url):
    assert refusal(url).startswith("found ")
    assert "allowed: an address without spaces" in refusal(url)
