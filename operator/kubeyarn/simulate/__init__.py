"""Scenarios run through the live schedulers, without a cluster.

A scenario is plain data: nodes, Hadoop's properties, and steps such as `submit`, `heartbeat` and
`observe` (`scenario`). `scenario_run` does the steps one by one against a scheduler, as the
ResourceManager, the NodeManagers and the ApplicationMasters would; its clock moves a second a step.
`run` is the door: it reads, runs and returns what was observed. The recorded scenarios in
`tests/conformance` hold that Hadoop's schedulers answer the same.

`capacity` and `fair` are the two schedulers as a scenario sees them: they read the configuration by
`hadoop`, and do in turn what Hadoop's background threads do at a time of their own. They look at
figures of queues and users that a live cluster does not publish: these two modules know the insides
of their scheduler, and nothing else here does.

`capacity_shape` and `fair_shape` make the clusters that speed is measured on.
"""
