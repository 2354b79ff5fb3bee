"""What the Fair Scheduler keeps: queues, attempts, nodes. State only; no rule is in here.

The rules import these classes and never the other way round. The four files import each other's
types, because a queue holds attempts, an attempt names its queue, and a node names attempts.

Every attribute that changes after it was made has one writer:

| Attributes | Written by |
|---|---|
| used, pending, reserved, am_used, containers, what preemption promised | accounts |
| settings of a queue, children | queue_manager |
| max_share, fair_share, steady_fair_share, demand, weight of an attempt | fair_shares |
| runnable_apps, non_runnable_apps, num_runnable_apps | max_running_apps |
| the sorted children | ordering |
| asks | app_scheduling_info; counted down by container_assigner |
| starvation and its times | preemption |
"""
