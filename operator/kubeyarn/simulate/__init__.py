"""Scenarios run through the schedulers' own engines, without a cluster."""
