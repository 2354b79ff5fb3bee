"""Nodes: their YARN states, and what becomes of containers on those that leave."""
