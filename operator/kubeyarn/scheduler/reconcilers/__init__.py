"""One reconciler for each kind of object: it takes what changed of its kind into the scheduler.

Every reconciler works on levels (Kubernetes: level-triggered). It compares what the cache has seen
with what the scheduler was told (`scheduler_state.SchedulerState`) and tells the difference, so
that a call too many changes nothing, a missed event is made good by the next one, and a new
scheduler is brought up by the same calls in the order of `AllocationLoop.rebuild`.
"""
