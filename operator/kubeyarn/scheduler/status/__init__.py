"""What the scheduler writes into status, of requests and of queues, and when."""
