"""What is wrong with a message of the AM service, by its field."""

from __future__ import annotations

from kubeyarn.model.errors import SpecError


class FieldError(SpecError):
    """A field of a message that cannot be acted on."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
