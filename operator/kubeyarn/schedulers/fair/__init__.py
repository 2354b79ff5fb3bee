"""The Fair Scheduler (Hadoop: org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair).

Theory of operation. The cluster is shared along a tree of queues. Every queue has a *fair share*:
what it should have if all wanted more than there is. Nobody is held to it: what one queue does not
use, others may. But whoever is further below its share is served first, and who stays below it too
long gets containers preempted for it. Only the maximum of a queue is a limit.

Scheduling goes by offers. A node is offered to root, root offers it to its children in the order of
its policy, and so on down to an application, which takes one container, reserves the node, or
passes. `FairScheduler.cycle` offers nodes until nothing changes; how Hadoop's three threads became
three calls stands at `scheduler.FairScheduler`.

Files in reading order:

| File | What it has |
|---|---|
| objects/ | queues, attempts and nodes: state without rules, and who writes what of it |
| objects/accounts | the only writer of sums: used, pending, reserved, AM use |
| cluster_state, dirty | what all parts share; which derived values are stale |
| scheduling_policy, comparators, ordering | fair, fifo and drf: compare, sort, keep sorted |
| fair_shares | the formula of fair shares, steady and instantaneous; demand |
| scheduler | the parts put together; update, node_update, cycle, preempt |
| container_assigner | one offer of one node |
| locality_delay, am_limits | two reasons to pass over an ask |
| preemption | who is starved, whose containers go |
| max_running_apps | who may run at all |
| queue_manager, queue_tree_checks | queues from configuration and on demand; what is refused |
| cluster_nodes | what follows from the size of the cluster |
| submission, placement | whether an application is taken, and into which queue |
| attempt_lifecycle, app_scheduling_info, container_update | attempts, asks, containers change |
| cluster_events, application_events, container_events | the calls from outside (schedulers.api) |
| queries, status, headroom, explain | the questions from outside |

What holds after every call: sums equal a recount (objects/accounts); every grant is within the
maxima of all queues above it and within its node; the order of children is that of their keys
(ordering); the same objects in any order of arrival lead to the same decisions. Property tests
hold all of it.

Where Hadoop's answer follows from an accident (the order of a hash map, a comparator that
contradicts itself, a float), we follow the accident, because recorded scenarios of Hadoop are the
specification; the places say so. The one exception is a refresh that Hadoop leaves half done:
only a scheduler that is `hadoop_compatible`, as the simulator's is, does that.
"""
