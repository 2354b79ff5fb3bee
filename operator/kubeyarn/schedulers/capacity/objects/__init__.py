"""What the Capacity Scheduler keeps: queues, users, applications, nodes, and their sums.

Objects hold state; rules import them, and but for the keys of `ordering` not the other way round.
The files import each other's types, because a leaf holds applications, an application names its
leaf and user, and a node names containers. All sums are written by `accounts`; what else changes
is written by its object's methods.

A resource usage is kept for each partition (Hadoop: ResourceUsage, by label): `QueueUsage`,
`AppUsage` and those of users. Each has the default partition's at hand as *default_usage*, because
nearly all look-ups are for that one.

Caches
------
Each is derived from state beside it, and none changes a decision. "Dropped by" says what throws it
away, "held by" which test would see it stale. Unless another file is named, the tests are those of
`tests/property/schedulers/capacity/test_ledger.py`; "scenarios" are those recorded from Hadoop.

* `ParentQueue.orders`, the children in serving order. Dropped by: `misplaced` (one child's use
  changed), `reorder` (capacities or children did). Held by:
  `test_the_fast_path_decides_what_the_general_way_does`, scenarios.
* `QueueUsage.guarantee`, `rank`, `tie`, `maximum` and `Queue._guarantee_shares`, and
  `LeafQueue.rounded_maximum`. Dropped by: `forget_derived`, at each update of capacities. Held by:
  scenarios.
* `LeafQueue.with_pending_requests`. Dropped by: `requests_changed`, at an application's first and
  last ask. Held by: `test_caches_change_no_decision`.
* `LeafQueue.active`, the applications in order. Dropped by: `needs_reordering` marks one,
  `reorder_changed` moves the marked before the next look. Held by: scenarios of fair ordering.
* `UsersManager._limits`, the user limits. Dropped by: `version`, which each charge of a user and
  each change of users or capacities raises. Held by: `test_limits.py` beside it.
* `cap` of the users' usages. Dropped by: `guarantee_changed`, at each update of capacities. Held
  by: `test_whoever_is_surely_within_its_limit_is_within_it` in `test_limits.py`.
* The users' ratios and *active_used*. Kept up to date by `accounts`; `recount_ratios` when a
  partition's size changes. Held by: `test_every_sum_equals_a_recount_after_each_step`.
* `unindexed` of applications and nodes, the containers not yet found by id. Dropped by:
  `containers`, which files them when somebody asks. Held by: the same recount.
* `FiCaSchedulerApp.cached_user`. Dropped by: a user that is forgotten has no *manager* any more.
  Held by: the same recount.
* `CapacityNodeTracker.interned`, one object for equal values. It holds values only, so nothing in
  it can be stale; it begins anew at 4096.

A getter that files (`containers`) is no surprise to anybody but a debugger: what it returns never
depends on when it was called. Containers are filed late because most grants are followed by more
before anybody looks for one by its id, and to file a hundred at once costs less than to look up
the same table a hundred times.
"""
