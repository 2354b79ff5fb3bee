"""ContainerRequests: those written for ApplicationMasters, and what their grants lead to."""
