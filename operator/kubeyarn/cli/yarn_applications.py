"""`kubectl yarn application`: everything that can be asked and changed of applications."""

from __future__ import annotations

from kubeyarn.cli import yarn_application, yarn_control
from kubeyarn.cli.yarn_words import Command

COMMAND = Command(
    "application",
    "applications and what they do (also: app)",
    (*yarn_application.VERBS, *yarn_control.VERBS),
)
