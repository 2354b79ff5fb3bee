"""Nodes: YARN's states of them (Hadoop: NodesListManager, DecommissioningNodesWatcher).

`tracker` follows Node objects, for ApplicationMasters to be told; which state follows from what
is seen is `lifecycle.node`. `decommission` ends the containers on nodes that are drained or lost.
"""
