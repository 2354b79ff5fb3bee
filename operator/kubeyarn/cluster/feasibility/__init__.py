"""Which nodes a container may be on, by its pod template (kube-scheduler: feasible nodes).

A grant names its node, and kube-scheduler then checks the pod against that node alone. So what it
will say is found out before: `node_affinity` and `taints` are Kubernetes' rules of labels and
taints, `node_requirements` reads them from a template, and `node_classes` groups nodes that are the
same to all that is required, so that the schedulers need know neither labels nor taints. All are
pure; the scheduler's `reconcilers/requirements.py` keeps them in line with what was seen.
"""
