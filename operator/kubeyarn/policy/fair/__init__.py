"""The Fair Scheduler's rules, one file a rule; values in, values out."""
