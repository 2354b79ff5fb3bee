"""The Fair Scheduler's ledger and decisions (Hadoop: FairScheduler)."""
