"""The scheduler process: the ledger and its allocation loop, and kube-scheduler's extender."""
