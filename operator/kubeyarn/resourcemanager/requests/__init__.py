"""ContainerRequests: what applications ask for, and what becomes of what they are granted.

A request has two writers. The scheduler says what is granted and charged; this process says what
was launched and has ended. Neither touches the other's fields, so both patch without locks.

`request_builder` makes the requests of ApplicationMasters and `request_control` writes them.
`request_view` reads a request, `request_plan` decides what follows for it from its pods, and
`reconciler` carries that out. `container_manager` makes the pods of granted containers and stops
them. `termination` says why containers are ended, `container_exits` remembers exits that no pod can
tell, `allocation_expiry` ends those that are never launched, and `usage` sums up what containers
have used.
"""
