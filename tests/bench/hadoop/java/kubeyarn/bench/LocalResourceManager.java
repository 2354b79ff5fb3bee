package kubeyarn.bench;

import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.event.Dispatcher;
import org.apache.hadoop.yarn.security.YarnAuthorizationProvider;
import org.apache.hadoop.yarn.server.resourcemanager.MockRM;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.AbstractYarnScheduler;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.QueueMetrics;
import org.apache.log4j.Level;
import org.apache.log4j.LogManager;

/** A whole ResourceManager in this process whose services are called directly, without RPC. */
final class LocalResourceManager extends MockRM {
  private LocalResourceManager(YarnConfiguration configuration) {
    super(configuration);
  }

  static LocalResourceManager start(Request request, Setup setup) throws Exception {
    forgetTheLast();
    YarnConfiguration configuration = configuration(request, setup);
    UserGroupInformation.setConfiguration(configuration);
    LocalResourceManager made = new LocalResourceManager(configuration);
    // MockRM turns logging on to the last detail, which costs more than scheduling.
    beSilent();
    made.start();
    made.handleEvents();
    return made;
  }

  static void beSilent() {
    LogManager.getLoggerRepository().setThreshold(Level.OFF);
  }

  @Override
  protected Dispatcher createDispatcher() {
    return new HeldEvents();
  }

  void handleEvents() {
    ((HeldEvents) getRMContext().getDispatcher()).handleAll();
  }

  AbstractYarnScheduler<?, ?> scheduler() {
    return (AbstractYarnScheduler<?, ?>) getResourceScheduler();
  }

  /** How many containers applications hold, masters included. */
  int held() {
    return scheduler().getRootQueueMetrics().getAllocatedContainers();
  }

  /** What a ResourceManager keeps in static fields, where the next one would find it. */
  private static void forgetTheLast() {
    QueueMetrics.clearQueueMetrics();
    DefaultMetricsSystem.shutdown();
    DefaultMetricsSystem.setMiniClusterMode(true);
    YarnAuthorizationProvider.destroy();
    UserGroupInformation.reset();
  }

  private static YarnConfiguration configuration(Request request, Setup setup) throws Exception {
    YarnConfiguration made = new YarnConfiguration();
    made.set("hadoop.tmp.dir", request.scratch());
    made.set("yarn.node-attribute.fs-store.root-dir", "file://" + request.scratch() + "/attributes");
    // Otherwise nothing is scheduled in the first ten seconds.
    made.setLong("yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms", 0);
    made.setInt("yarn.scheduler.minimum-allocation-mb", Nodes.MIB);
    made.setInt("yarn.scheduler.maximum-allocation-mb", request.slots() * Nodes.MIB);
    made.setInt("yarn.scheduler.maximum-allocation-vcores", request.slots());
    setup.configure(made);
    return made;
  }
}
