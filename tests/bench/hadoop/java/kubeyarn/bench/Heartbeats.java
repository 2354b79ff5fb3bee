package kubeyarn.bench;

import java.util.Map;

/** Measures a scheduler that decides when a node heartbeats, one node after the other. */
record Heartbeats(
    LocalResourceManager manager, Request request, Nodes nodes, Applications applications) {

  /** Only the heartbeats are timed, not what the events they lead to cost others. */
  Measured measure() {
    int before = manager.held();
    int grants = 0;
    double seconds = 0;
    double wallSeconds = 0;
    double processSeconds = 0;
    Map<String, Integer> halfway = Map.of();
    for (int last = -1; last != grants && grants < request.wanted(); ) {
      last = grants;
      ProcessorTime all = new ProcessorTime();
      double begin = ProcessorTime.ofThisThread();
      nodes.heartbeat();
      seconds += ProcessorTime.ofThisThread() - begin;
      wallSeconds += all.byTheClock();
      processSeconds += all.ofTheProcess();
      manager.handleEvents();
      grants = manager.held() - before;
      if (2 * grants == request.wanted()) {
        halfway = applications.granted();
      }
    }
    return new Measured(
        grants, seconds, wallSeconds, processSeconds, applications.granted(), halfway);
  }
}
