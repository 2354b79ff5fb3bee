"""kube-scheduler's extender: nothing binds without a grant, and nothing over a queue's maximum."""
