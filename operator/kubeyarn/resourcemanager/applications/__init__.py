"""Applications and attempts (Hadoop: RMAppManager, RMAppImpl, RMAppAttemptImpl).

`manager` reconciles an application. `records` is its record, read from its status and written to
it; `observed_state` is what is seen of it now; the state machines between the two are
`lifecycle.progress`. `application_status` and `conditions` say the outcome. `am_sessions` holds the
session of each application's AM.

The rest are parts of what an application can have: `lifetime`, `signals` to its containers, an AM
that speaks by annotations (`annotation_protocol`) or runs elsewhere (`unmanaged_am`), and its
`retention` after it has ended.

The status is the only memory. Nothing of an application's state is kept in the process but its
AM's session, so what a reconciliation decides depends on the objects alone.
"""
