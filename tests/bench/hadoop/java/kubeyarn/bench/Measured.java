package kubeyarn.bench;

import java.util.Map;

/**
 * What one run came to.
 *
 * <p>{@code seconds} are processor time of the thread that had the most to do; {@code wallSeconds}
 * are by the clock. {@code halfway} is how many each leaf had when half was granted, where the run
 * stopped there.
 */
public record Measured(
    int grants,
    double seconds,
    double wallSeconds,
    double processSeconds,
    Map<String, Integer> granted,
    Map<String, Integer> halfway) {}
