package kubeyarn.bench;

import org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.AsyncThreads;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler;

/** One run: a new ResourceManager with the shape in it, measured until all is granted. */
final class Run {
  private static final int ENOUGH_PASSES = 1000;

  private final LocalResourceManager manager;
  private final Request request;
  private final Nodes nodes;
  private final Applications applications;

  private Run(LocalResourceManager manager, Request request, Setup setup) throws Exception {
    this.manager = manager;
    this.request = request;
    this.nodes = new Nodes(manager, request);
    this.applications = new Applications(manager, request, setup);
  }

  static Measured of(Request request) throws Exception {
    Setup setup = Setup.of(request);
    try (LocalResourceManager manager = LocalResourceManager.start(request, setup)) {
      return new Run(manager, request, setup).measure();
    }
  }

  private Measured measure() throws Exception {
    startMasters();
    if (!request.is(Request.ASYNCHRONOUS)) {
      applications.ask();
      update();
      return new Heartbeats(manager, request, nodes, applications).measure();
    }
    AsyncThreads threads = new AsyncThreads((CapacityScheduler) manager.scheduler());
    threads.suspend();
    applications.ask();
    return new Asynchronous(manager, request, nodes, applications).measure(threads);
  }

  private void startMasters() throws Exception {
    for (int pass = 0; !applications.register(); pass++) {
      if (pass > ENOUGH_PASSES) {
        throw new IllegalStateException("masters without a container after " + pass + " heartbeats");
      }
      update();
      nodes.heartbeat();
      if (request.is(Request.ASYNCHRONOUS)) {
        Thread.sleep(100);
      }
    }
  }

  /** FairScheduler sees new demand twice a second; nothing is measured until it has. */
  private void update() {
    if (manager.scheduler() instanceof FairScheduler fair) {
      fair.update();
    }
  }
}
