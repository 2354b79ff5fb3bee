"""Readers of Hadoop's configuration files, into the values of `model`.

Each reader takes a file's properties or text and returns what the schedulers are configured with,
or raises `ConfigRefused` where Hadoop would not start. The room decides nothing: rules that need
the whole tree (capacities that add up, queues that a mapping names) are the schedulers' to check.

- `properties`: Hadoop's Configuration, and the small languages in its values (numbers, access
  control lists, capacities).
- `capacity_scheduler_xml`: the Capacity Scheduler's settings for all queues;
  `capacity_queues_xml`: the queues; `mapping_rules`: which queue an application goes to.
- `fair_yarn_site_xml`: the Fair Scheduler's properties; `fair_scheduler_xml`: its allocation file;
  `configurable_resources`: the resources in that file.

What Hadoop reads and nothing here uses is read as well, because a value that it cannot read stops
it, and a configuration has to be refused by both or by none.
"""
