"""A real Kubernetes cluster on one machine, without Docker: for the demo and for end-to-end tests.

`cluster` brings one up and down, and can end, kill and start each component. Programs are found on
the machine, downloaded or built (`lookup`, `download`, `gobuild`) and kept in a per-user cache; the
control plane, a kubelet with its container runtime, and nodes that KWOK pretends to run are plain
processes (`controlplane`, `node`, `fakenodes`). KubeYARN's image is built from wheels, with no
registry and no Docker (`wheels`, `imagebuild`).

Theory of operation. A cluster is a name, a slot and a set of processes.

- The **slot** is a number from which every address follows (`addresses`), so clusters side by side
  share none and need not agree on ports. The cluster's processes inherit the claim on it
  (`locking.hold`), so the kernel frees it when the last of them has ended, however that came.
- The **record** of each process names it by pid and start time, so that a stranger's process is
  never ended in its place (`processes`). Each process also carries the cluster's state directory in
  its environment: what died before it was recorded is found by that.
- **`up` is a level**: it starts what is not there, starts again what died, and removes what a crash
  or a reboot left. **`down`** ends and removes everything, whatever state it finds.
- Commands for one cluster wait for each other by a lock on a file (`locking.exclusive`).
  Directories that several clusters share go when they are empty, which only the kernel can say.

What must be given a port and is no part of a cluster claims one (`ports`).
"""
