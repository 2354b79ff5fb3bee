package kubeyarn.bench;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.hadoop.yarn.event.AsyncDispatcher;
import org.apache.hadoop.yarn.event.Event;
import org.apache.hadoop.yarn.event.EventHandler;

/**
 * The ResourceManager's own dispatcher without its thread: events wait until they are asked for.
 *
 * <p>In YARN another thread handles what the scheduler tells applications and nodes, so no time of
 * the scheduler is spent on it.
 */
final class HeldEvents extends AsyncDispatcher {
  private final Queue<Event> held = new ConcurrentLinkedQueue<>();

  @Override
  public EventHandler<Event> getEventHandler() {
    return held::add;
  }

  @Override
  protected void serviceStart() {}

  @Override
  protected void serviceStop() {}

  void handleAll() {
    for (Event event = held.poll(); event != null; event = held.poll()) {
      dispatch(event);
    }
  }
}
