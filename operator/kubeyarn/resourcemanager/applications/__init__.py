"""Applications and their attempts: what is seen of one, what follows, what its status says."""
