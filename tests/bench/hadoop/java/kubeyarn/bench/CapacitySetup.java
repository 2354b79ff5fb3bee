package kubeyarn.bench;

import java.util.StringJoiner;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler;
import org.apache.hadoop.yarn.util.resource.DominantResourceCalculator;

/** Equal leaves of equal parents, masters and users unlimited. */
record CapacitySetup(Request request) implements Setup {
  private static final String PREFIX = "yarn.scheduler.capacity.";
  private static final String HEARTBEAT = PREFIX + "per-node-heartbeat.";

  @Override
  public String leaf(int queue) {
    int each = request.leavesOfParent();
    return "root.p" + queue / each + ".q" + queue % each;
  }

  @Override
  public void configure(YarnConfiguration into) {
    into.setClass(
        YarnConfiguration.RM_SCHEDULER, CapacityScheduler.class, CapacityScheduler.class);
    into.set(PREFIX + "resource-calculator", DominantResourceCalculator.class.getName());
    into.set(PREFIX + "maximum-am-resource-percent", "1.0");
    queues(into);
    multiple(into);
    into.setBoolean(
        PREFIX + "schedule-asynchronously.enable", request.is(Request.ASYNCHRONOUS));
  }

  private void queues(YarnConfiguration into) {
    child(into, "root", "p", request.parents());
    for (int parent = 0; parent < request.parents(); parent++) {
      String path = "root.p" + parent;
      share(into, path, request.parents());
      child(into, path, "q", request.leavesOfParent());
    }
    for (int queue = 0; queue < request.queues(); queue++) {
      share(into, leaf(queue), request.leavesOfParent());
      into.set(PREFIX + leaf(queue) + ".user-limit-factor", "100");
    }
  }

  private static void child(YarnConfiguration into, String path, String prefix, int count) {
    StringJoiner names = new StringJoiner(",");
    for (int number = 0; number < count; number++) {
      names.add(prefix + number);
    }
    into.set(PREFIX + path + ".queues", names.toString());
  }

  private static void share(YarnConfiguration into, String path, int siblings) {
    into.set(PREFIX + path + ".capacity", Float.toString(100f / siblings));
  }

  /** Requests for any host are off-switch, and of those the default is one a heartbeat. */
  private void multiple(YarnConfiguration into) {
    boolean many = request.is(Request.MULTIPLE);
    into.setBoolean(HEARTBEAT + "multiple-assignments-enabled", many);
    if (many) {
      into.setInt(HEARTBEAT + "maximum-container-assignments", request.slots());
      into.setInt(HEARTBEAT + "maximum-offswitch-assignments", request.slots());
    }
  }
}
