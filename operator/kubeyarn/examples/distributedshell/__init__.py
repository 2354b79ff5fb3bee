"""Distributed shell on YARN: one command in N containers (Hadoop: distributedshell)."""
