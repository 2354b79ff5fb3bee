"""Hadoop's own property names, read into neutral settings."""
