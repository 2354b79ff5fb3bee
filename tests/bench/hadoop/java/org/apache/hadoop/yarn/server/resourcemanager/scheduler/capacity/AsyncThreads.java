package org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity;

/**
 * Holds and lets go the threads of asynchronous scheduling.
 *
 * <p>It stands in Hadoop's package because the class of these threads is visible nowhere else.
 */
public final class AsyncThreads {
  // A held thread looks ten times a second whether it may go on, and ends the pass it is in before.
  private static final long PASS_MS = 500;

  private final CapacityScheduler scheduler;

  public AsyncThreads(CapacityScheduler scheduler) {
    this.scheduler = scheduler;
  }

  public void suspend() throws InterruptedException {
    scheduler.getAsyncSchedulerThreads().forEach(thread -> thread.suspendSchedule());
    Thread.sleep(PASS_MS);
  }

  public void begin() {
    scheduler.getAsyncSchedulerThreads().forEach(thread -> thread.beginSchedule());
  }
}
