"""Preemption: which containers are taken back for queues that are below their guarantee.

Theory of operation (Hadoop: ProportionalCapacityPreemptionPolicy)
-------------------------------------------------------------------
A pass runs every few seconds and has three steps.

1. *Copy.* `PreemptionContext.sync_queues` copies what every queue uses, wants and is guaranteed
   of every partition into `TempQueuePerPartition`s. From here on nothing of the scheduler changes:
   a pass computes on its copies, and selectors count what they select on these copies only.
2. *Select.* The selectors run one after another, each a module with a function
   `select_candidates`. Later ones see what earlier ones selected, so that nothing is taken twice:

   - `priority_candidates` (QueuePriorityContainerCandidateSelector): containers of queues of lower
     priority, for an old reservation;
   - `reserved_candidates` (ReservedContainerCandidatesSelector): containers on nodes on which they
     let a reservation be fulfilled;
   - `fifo_candidates` (FifoCandidatesSelector): containers of queues over their ideal assignment;
   - `intra_queue_candidates` (IntraQueueCandidatesSelector): containers of less important
     applications, for others of the same queue.

   All share one budget, `total_preemption_allowed`: a part of the cluster for each pass, because
   what is marked now is gone only after a while, and would be taken again by the next pass.
3. *Mark, then kill.* `policy` tells an AM of a selected container and kills it when it is still
   selected after `maximum_wait_before_kill`. A mark is forgotten after twice that time. With lazy
   preemption it is not killed then, but offered to whoever needs its room.

`ideal_assignment` computes what each queue should hold. Its numbers are:

- *guaranteed*: the effective minimum of the partition; *ideal_assigned*: what the queue should hold
  when the parent's ideal assignment is divided by need, the most underserved first.
- *preemptable_extra*: what it holds beyond its guarantee and may lose; *untouchable_extra*: what it
  holds beyond it and keeps, because preemption is disabled for it or for queues below it.
- *to_be_preempted*: what it holds beyond the ideal assignment, scaled down to the budget;
  *actually_to_be_preempted*: the part of it that this pass takes. The rest is left to containers
  that end by themselves (`natural_termination`).
"""
