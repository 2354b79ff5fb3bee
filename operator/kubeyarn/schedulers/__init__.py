"""The two schedulers: pure, values in, decisions out.

`api` is what a scheduler is to those who drive it (the allocation loop and the simulator).
`capacity` and `fair` are Hadoop's CapacityScheduler and FairScheduler, each a package in Hadoop's
words. Whoever makes one imports it from the package's module `scheduler`, so that a rule can be
imported without the whole. `calculator` and the `java_*` modules are arithmetic and collections as
Hadoop's run, where an order or a rounding of Java's decides who gets a container.
"""
