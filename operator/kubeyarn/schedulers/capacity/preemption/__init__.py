"""Preemption: what queues and applications hold too much of, and what is taken back."""
