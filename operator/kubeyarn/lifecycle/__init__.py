"""The life of applications, attempts, containers and nodes, and the rules of the AM protocol. Pure.

The states are Hadoop's, and each machine is nothing but its table (`machine`, `application`,
`attempt`, `container`). No event is sent to a machine from outside: `progress.advance` compares
what is recorded with what is observed and walks through as many states as the facts allow. So it
can be called again at any time, and a ResourceManager that was down catches up by one call.

`am_session` is the protocol of one ApplicationMaster, free of transport. The other modules are
single rules: whether another attempt follows (`retry`), where it is not granted (`failed_nodes`),
how long an application may run (`lifetime`), which containers are asked for again without an AM
(`replacing`), what a node's state is (`node`).
"""
