package kubeyarn.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler;

/** Equal weights, one policy everywhere, masters unlimited. */
record FairSetup(Request request) implements Setup {
  private static final String PREFIX = "yarn.scheduler.fair.";

  @Override
  public String leaf(int queue) {
    return "root.p" + queue % request.parents() + ".q" + queue;
  }

  @Override
  public void configure(YarnConfiguration into) throws Exception {
    Path allocations = Path.of(request.scratch(), "allocations.xml");
    Files.writeString(allocations, allocations());
    into.setClass(YarnConfiguration.RM_SCHEDULER, FairScheduler.class, FairScheduler.class);
    into.set(PREFIX + "allocation.file", allocations.toString());
    into.setBoolean(PREFIX + "assignmultiple", request.is(Request.MULTIPLE));
  }

  private String allocations() {
    StringBuilder text = new StringBuilder("<allocations>");
    text.append("<queueMaxAMShareDefault>-1.0</queueMaxAMShareDefault>");
    text.append("<defaultQueueSchedulingPolicy>").append(request.policy());
    text.append("</defaultQueueSchedulingPolicy>");
    for (int parent = 0; parent < request.parents(); parent++) {
      text.append("<queue name=\"p").append(parent).append("\">");
      for (int queue = parent; queue < request.queues(); queue += request.parents()) {
        text.append("<queue name=\"q").append(queue).append("\"/>");
      }
      text.append("</queue>");
    }
    return text.append("</allocations>").toString();
  }
}
