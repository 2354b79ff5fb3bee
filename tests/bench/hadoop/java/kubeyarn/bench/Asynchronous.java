package kubeyarn.bench;

import java.util.Map;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.AsyncThreads;

/** Measures CapacityScheduler's own threads, which propose and commit while nodes heartbeat. */
record Asynchronous(
    LocalResourceManager manager, Request request, Nodes nodes, Applications applications) {
  private static final double HEARTBEAT_SECONDS = 1;
  private static final double ENOUGH_SECONDS = 120;

  /** The clock also counts the tenth of a second in which held threads may still sleep. */
  Measured measure(AsyncThreads threads) throws InterruptedException {
    int before = manager.held();
    nodes.heartbeat();
    ProcessorTime time = new ProcessorTime();
    threads.begin();
    int grants = untilAllIsGranted(before, time);
    double seconds = time.ofTheBusiestThread();
    double wallSeconds = time.byTheClock();
    double processSeconds = time.ofTheProcess();
    threads.suspend();
    manager.handleEvents();
    return new Measured(
        grants, seconds, wallSeconds, processSeconds, applications.granted(), Map.of());
  }

  /** Nodes heartbeat once a second, as they do by default: threads pass over silent ones. */
  private int untilAllIsGranted(int before, ProcessorTime time) throws InterruptedException {
    double next = HEARTBEAT_SECONDS;
    int grants = 0;
    while (grants < request.wanted() && time.byTheClock() < ENOUGH_SECONDS) {
      if (time.byTheClock() >= next) {
        next += HEARTBEAT_SECONDS;
        nodes.heartbeat();
      }
      Thread.sleep(1);
      grants = manager.held() - before;
    }
    return grants;
  }
}
