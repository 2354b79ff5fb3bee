package kubeyarn.bench;

import org.apache.hadoop.yarn.conf.YarnConfiguration;

/** How a scheduler is configured for the shape. */
interface Setup {
  /** The path of leaf number {@code queue}, which is the name that KubeYARN's shape gives it. */
  String leaf(int queue);

  /** Adds what this scheduler needs to a configuration that has the nodes' sizes. */
  void configure(YarnConfiguration configuration) throws Exception;

  static Setup of(Request request) {
    return switch (request.scheduler()) {
      case "capacity" -> new CapacitySetup(request);
      case "fair" -> new FairSetup(request);
      default -> throw new IllegalArgumentException("no scheduler " + request.scheduler());
    };
  }
}
