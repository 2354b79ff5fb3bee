"""An ApplicationMaster that asks for nothing, for containers that are asked for by hand."""
