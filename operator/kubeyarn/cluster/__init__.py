"""The only code that talks to the Kubernetes API server.

Theory of operation. The API server is the one store, so everything here is about two questions:
what is true there, and may we still change it?

What is true. A `Reflector` lists a collection and watches it from there; whatever breaks, it goes
on where it was or lists again and tells the difference, deletions included. Handlers only note what
they are told and add a key to a `WorkQueue`, which later reads what is true then. So an event that
is late, or told twice, costs at most a look. (kopf follows applications and queues for the
ResourceManager, by the same contract: `resourcemanager.kopf_watch`.)

May we change it. One process of each component leads, by a `Lease`. The Lease is ours only for its
duration after the last renewal that was answered, counted from when it was asked for, on our own
clock: a process that stood still finds out by itself that it may not write. `KubeClient` begins no
write after that time, and waits for none longer. What a former leader may still have on the way
is refused by its epoch, which is in every grant (docs/decisions: of several pods one leads).

Trouble. `KubeClient` repeats what is safe to repeat (429, 5xx, broken connections) a few times, and
then raises `Unavailable`: the caller tries later. Another 4xx is raised at once as an `ApiError`,
because to send it again cannot help. `NotLeading` is nobody's failure and is tried again at a
steady pace.

What Kubernetes makes of a pod is pure, and here as well: `pod_requests` and `pod_template` say how
large it is, `feasibility` where it may be.

`connection`, `kubeconfig` and `credentials` say where the API server is and who we are, for our own
client and for kopf alike.
"""
