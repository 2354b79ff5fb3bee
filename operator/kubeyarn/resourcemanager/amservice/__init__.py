"""The AM service: the door of ApplicationMasters (Hadoop: ApplicationMasterService and AMRMClient).

`http` is the transport: it decodes, authenticates (`authentication`, `callers`) and turns errors
into answers. `service` is the calls themselves, free of transport. `wire` are the messages, checked
as they are decoded; `openapi` is made of them. `ask_validation` and `update_validation` turn what a
message asks into values of `lifecycle.am_session`, `responses` turns values into messages.
`container_management` launches, stops and reports containers, which in YARN NodeManagers do.

What holds:

* An AM speaks for its own application and attempt only. Who calls is known by the pod that its
  token is bound to, never by what a message says.
* What is refused is refused whole, with the field that is wrong, and changes nothing.
* Nothing is kept here but the last answer of each AM, for the case that it was lost.
"""
