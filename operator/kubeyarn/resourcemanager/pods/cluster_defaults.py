"""What a cluster gives to every container: addresses, images, and what its administrator allows."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubeyarn.resourcemanager.pods.isolation import Executors


@dataclass(frozen=True, slots=True)
class Site:
    """*am_service* is what ApplicationMasters call; *localizer_image* has `kubeyarn` in it."""

    am_service: str = ""
    localizer_image: str = ""
    executors: Executors = field(default_factory=Executors)
