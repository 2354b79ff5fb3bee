"""Hadoop's configuration files as YarnQueue manifests.

`hadoop` reads the files into the values of `model.queues`; this room writes these values as the
objects that `crd` reads back into the same values. So what a file means is decided in one place,
and a conversion can be checked: `read_back` reads the manifests as the scheduler will, and names
every setting that did not come through.

What a YarnQueue cannot say is never dropped in silence: it becomes a `Note` with the property and
the reason. Amounts change their unit (MiB to quantities of memory, vcores to cores); defaults that
Hadoop has for all queues are written on each queue that relied on them; ACLs become roles.

- `capacity_queues` is the tree of capacity-scheduler.xml, `fair_queues` that of fair-scheduler.xml
- `cluster_spec` is what yarn-site.xml and root say of the whole cluster
- `queue_access` is the RBAC that ACL strings meant
- `queue_names` makes names that Kubernetes allows
- `manifests` writes objects as YAML, each field under the property it came from
"""
