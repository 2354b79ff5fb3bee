"""What the API server is told of the custom resources: definitions and the field reference."""
