"""The ApplicationMasters' door: their protocol over HTTP, checked, answered from memory."""
