package kubeyarn.bench;

import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.net.NetUtils;
import org.apache.hadoop.net.NodeBase;
import org.apache.hadoop.yarn.api.records.NodeId;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.server.api.records.NodeHealthStatus;
import org.apache.hadoop.yarn.server.api.records.NodeStatus;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNode;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNodeImpl;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNodeStartedEvent;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.event.NodeUpdateSchedulerEvent;

/** The nodes, all alike, which heartbeat in the order they came. */
final class Nodes {
  static final int MIB = 1024;

  private final LocalResourceManager manager;
  private final List<RMNode> nodes = new ArrayList<>();

  Nodes(LocalResourceManager manager, Request request) {
    this.manager = manager;
    for (int number = 0; number < request.nodes(); number++) {
      add("n" + number, Resource.newInstance(request.slots() * MIB, request.slots()));
    }
  }

  /** Every node heartbeats once; the scheduler's answer to each is worked out in this thread. */
  void heartbeat() {
    for (RMNode node : nodes) {
      manager.scheduler().handle(new NodeUpdateSchedulerEvent(node));
    }
  }

  private void add(String name, Resource total) {
    NetUtils.addStaticResolution(name, "127.0.0.1");
    NodeId id = NodeId.newInstance(name, 1);
    NodeBase place = new NodeBase(name, "/default-rack");
    RMNodeImpl node =
        new RMNodeImpl(id, manager.getRMContext(), name, 1, 2, place, total, "3.4.3");
    manager.getRMContext().getRMNodes().put(id, node);
    node.handle(new RMNodeStartedEvent(id, null, null, healthy(id)));
    manager.handleEvents();
    nodes.add(node);
  }

  private static NodeStatus healthy(NodeId id) {
    NodeHealthStatus health = NodeHealthStatus.newInstance(true, "", System.currentTimeMillis());
    return NodeStatus.newInstance(
        id, 0, new ArrayList<>(), new ArrayList<>(), health, null, null, null);
  }
}
