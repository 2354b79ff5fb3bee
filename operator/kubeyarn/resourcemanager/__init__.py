"""The ApplicationsManager: applications, the AM service, the pods of granted containers."""
