"""Defaults that both the CRDs and the reading of objects need."""

from __future__ import annotations

from types import MappingProxyType

MINIMUM_ALLOCATION = MappingProxyType({"cpu": "1", "memory": "1Gi"})
INCREMENT_ALLOCATION = MappingProxyType({"cpu": "1", "memory": "1Gi"})
MAXIMUM_ALLOCATION = MappingProxyType({"cpu": "32", "memory": "64Gi"})
AM_RESOURCES = MappingProxyType({"cpu": "1", "memory": "1536Mi"})
TASK_RESOURCES = MappingProxyType({"cpu": "1", "memory": "1Gi"})
MAXIMUM_APPLICATION_PRIORITY = 10
