"""The scheduler process: decides who gets which container on which node, and guards bindings.

Theory of operation. etcd is the only store; this process can end at any moment, and another one
rebuilds what it knew from the objects. While it holds the lease, one loop turns:

    watches -> `cache` -> `reconcilers/` -> the ResourceScheduler (`kubeyarn.schedulers`)
            -> decisions -> `request_state` -> `status/` -> ContainerRequest.status

and the ResourceManager makes pods of the grants in that status. kube-scheduler then asks
`extender/` whether a pod may be bound, which is decided from the same records. What holds:

- *One writer a record.* The cache keeps its indices, `scheduler_state` the record of what the
  scheduler was told, `containers` what is charged and bound, `request_state` what became of a
  request. Others read these and call their methods; nobody assigns another object's attributes.
- *Levels.* Each reconciler compares what is seen with what was told. Doing so twice tells nothing.
- *A grant is durable before its pod exists*, because pods are made of the status alone. A grant
  that was decided and not written dies with the process, and nobody has seen it.
- *A container is granted once, bound once, released once.* `ContainerAccounts` says how.
- *Nothing waits in a turn.* All state changes run between two awaits, so no lock is needed; only
  writers, access reviews and the extender's calls of the API server wait.
- *Whatever one object makes us raise stays with it.* `reconcile_errors` is where it is caught, told
  on the object, and tried again later; `set_aside` are those that decisions are made without.

Across processes: the API server refuses a write of an epoch that is lower than one written before,
container ids carry the epoch, and the extender answers 503 while the process does not lead. So a
scheduler that lost the lease and does not know it yet writes nothing over what its successor wrote.

Where is what: `process` wires everything; `allocation_loop` is the loop; `recovery` counts what an
earlier scheduler granted; `container_updates` changes size and execution type; `refusals` reads
why kube-scheduler refuses a pod; `node_backoff` keeps applications off nodes that refused their
pods; `queue_tree` finds the queues that add up; `access_review` asks who may submit; `leader/` lets
the kube-scheduler of the leader's pod work.
"""
