"""Readers of Hadoop's configuration files, into the values of `model`.

capacity-scheduler.xml (`capacity_scheduler_xml`, `capacity_queues_xml`, `mapping_rules`) and
fair-scheduler.xml with the Fair Scheduler's part of yarn-site.xml (`fair_scheduler_xml`,
`fair_yarn_site_xml`). A file that Hadoop refuses at its start is refused with `ConfigRefused`.
"""
