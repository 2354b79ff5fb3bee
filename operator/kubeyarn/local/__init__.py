"""A real Kubernetes cluster on one machine, without Docker: for the demo and for end-to-end tests.

`cluster` brings one up and down, and can end, kill and start each component. Programs are found on
the machine, downloaded or built (`lookup`, `download`, `gobuild`) and kept in a per-user cache; the
control plane, a kubelet with its container runtime, and nodes that KWOK pretends to run are plain
processes (`controlplane`, `node`, `fakenodes`). KubeYARN's image is built from wheels, with no
registry and no Docker (`wheels`, `imagebuild`).

Several clusters share a machine: each has a name, a slot with addresses and ports of its own
(`slots`), and a folder that says what belongs to it (`layout`). A process is known by its pid, its
start time and the machine's boot, so that no stranger's process is ended in its place.
"""
