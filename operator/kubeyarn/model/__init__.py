"""Values that every room speaks of, and nothing that acts.

A value never changes: what is different is a new value. Nothing here reads a clock, a file or the
cluster, and nothing raises for what a user wrote but `SpecError` and its heirs (`errors`).

- `resources`: vectors of integers in base units, and the names behind their places.
- `ids`: YARN's identifiers. `applications`, `asks`, `containers`, `nodes`: what the schedulers are
  told of. `constraints`: where containers may be beside others.
- `queues`, `fair_queues`: the settings of queues and cluster, where a YarnQueue's fields and
  Hadoop's properties meet. A setting that is None is not set; who fills it in is the scheduler.
- `reasons`: the one list of reasons why something waits or is refused. `errors`: whose fault it is.
"""
