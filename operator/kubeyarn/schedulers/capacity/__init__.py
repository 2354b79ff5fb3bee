"""The Capacity Scheduler: who gets a node's room, by the capacities of queues.

Theory of operation. `CapacityScheduler` is put together from parts that share one `ClusterState`.
An event (a node, an application, an ask, a container's end) changes objects and sums at once, and
tells `CapacityDirty` what happened; what follows for capacities is computed when it is next needed.
A cycle then offers nodes, and charges what it decides as it goes. Nothing is written down but in
memory, and nothing reads a clock: the same events lead to the same decisions.

The files, in the order to read them:

1. `scheduler`: the parts, and which call goes to which.
2. `objects/`: queues, users, applications, nodes. State, and the sums in `objects.accounts`.
3. `cluster_state` and `dirty`: what all parts share; which caches hold. `cluster_events`:
   configurations and nodes come, change and go.
4. `allocator/`: the cycle (`node_update`), down the tree (`assign_containers`), to one ask
   (`container_allocator`, `locality_delay`), into the sums (`commit`); `fast_path` walks most of it
   in one go; `container_update` changes sizes in place.
5. `application_events`, `container_events`, `attempt_lifecycle`: what applications set off.
   `placement` and `submission` say where an application goes and whether it is taken,
   `max_running_apps` and `am_limits` when it may run and start.
6. `queue_manager`, `queue_settings`, `queue_tree_checks`, `queue_index`, `queue_capacities`:
   the tree, checked and put in force, and what each queue is guaranteed and may hold.
   `auto_created_queues`: queues that come and go by themselves.
7. `ordering`: who is served first. The user limit is in `objects.users_manager`.
8. `preemption/`: what is taken back.
9. `queries`, `status`, `headroom`, `explain`: answers; they change nothing.

Rules import objects, never the other way round, but for the keys of `ordering`, by which queues and
leaves keep their entries in order.
"""
