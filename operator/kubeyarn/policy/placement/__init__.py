"""Placement: which queue an application goes to."""
