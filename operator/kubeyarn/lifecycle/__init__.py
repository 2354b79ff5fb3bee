"""The state machines of application and attempt, and the rules of the AM protocol. Pure."""
