"""From a node's free room to decisions.

Read `node_update` first: `SchedulingCycle.run` is the whole cycle in six steps.
`assign_containers` goes down the tree, `container_allocator` tries an application's asks with the
delays of `locality_delay`, `commit` charges what was assigned. `fast_path` is the same walk for the
plain case. `container_update` lets containers grow and shrink where they are.
"""
