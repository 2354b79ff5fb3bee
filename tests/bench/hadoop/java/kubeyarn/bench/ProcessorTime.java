package kubeyarn.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.HashMap;
import java.util.Map;

/** Seconds of processor time since it was made. */
final class ProcessorTime {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final Map<Long, Long> begun = ofEachThread();
  private final long process = PROCESS.getProcessCpuTime();
  private final long clock = System.nanoTime();

  static double ofThisThread() {
    return THREADS.getCurrentThreadCpuTime() / 1e9;
  }

  /** Of the Java thread that had the most to do; the compiler's and collector's are none. */
  double ofTheBusiestThread() {
    long most = 0;
    for (Map.Entry<Long, Long> thread : ofEachThread().entrySet()) {
      most = Math.max(most, thread.getValue() - begun.getOrDefault(thread.getKey(), 0L));
    }
    return most / 1e9;
  }

  /** Of all threads, those of the compiler and the collector too. */
  double ofTheProcess() {
    return (PROCESS.getProcessCpuTime() - process) / 1e9;
  }

  double byTheClock() {
    return (System.nanoTime() - clock) / 1e9;
  }

  private static Map<Long, Long> ofEachThread() {
    Map<Long, Long> found = new HashMap<>();
    for (long id : THREADS.getAllThreadIds()) {
      found.put(id, THREADS.getThreadCpuTime(id));
    }
    return found;
  }
}
