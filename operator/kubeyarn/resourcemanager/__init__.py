"""The ResourceManager process: YARN's ApplicationsManager, on Kubernetes.

It owns the status of YarnApplications, its part of the status of ContainerRequests, the requests
written for ApplicationMasters, and the pods of containers. What may run where is the scheduler's,
another process; the two speak through ContainerRequests alone: one asks and launches, the other
grants.

How it works. Everything that is known comes in through watches and lies in `cache`. Whatever
changes puts an application's key into a queue, and `applications.manager` reconciles that
application: it looks at all that is known of it, decides by pure rules, writes the status, and
acts. Every step is a level: it can be cut off anywhere and done again. So a process that is killed
loses nothing but sessions with ApplicationMasters, which say everything again when they register.

From a YarnApplication to its AM's pod, in the order of the files:

1. `kopf_watch` hears of the application; `applications.manager` puts it into `cache` and its queue.
2. `applications.records` reads the record in its status, `requests.request_view` its requests.
3. `applications.observed_state` collects the facts, `lifecycle.progress` walks the state machines.
4. `applications.application_status` (with `conditions`) writes what has changed.
5. `requests.request_control` creates the AM's ContainerRequest, which `request_builder` makes.
   The scheduler grants a container; the watch brings the request back, and step 1 begins anew.
6. `requests.reconciler` carries out what `request_plan` decides: the granted container has no pod.
7. `requests.container_manager` has `pods.pod_builder` make the pod, `pods.pod_control` create it.

From an AM's ask to its container:

1. `amservice.http` decodes and authenticates a heartbeat, `callers` says whose it is.
2. `amservice.service` answers it from the AM's session (`lifecycle.am_session`), after
   `ask_validation` and `update_validation` have checked what it asks.
3. The application is reconciled; `requests.request_control` writes one request for each ask.
   The scheduler grants containers of it.
4. `requests.reconciler` tells the session of the grants; the next heartbeat's answer has them.
5. The AM launches a container: `amservice.container_management` to `requests.container_manager`.

The folders import downward only: `amservice`, `applications`, `requests`, `nodes`, `pods`.
"""
