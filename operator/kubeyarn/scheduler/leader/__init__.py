"""What follows the scheduler's election: which pod's kube-scheduler works."""
