"""Pods of containers: how they are built, what they tell, how they are removed."""
