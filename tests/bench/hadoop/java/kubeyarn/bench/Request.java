package kubeyarn.bench;

/**
 * What one run is of: a scheduler, how it is driven, and the shape of the load.
 *
 * <p>The names are those of the JSON that the benchmark writes; {@code slots} are GiB and vcores of a
 * node, {@code containers} what each application asks for beside its master.
 */
public record Request(
    String scheduler,
    String mode,
    String policy,
    int nodes,
    int slots,
    int queues,
    int parents,
    int applications,
    int containers,
    int users,
    String scratch) {

  static final String ONE = "one";
  static final String MULTIPLE = "multiple";
  static final String ASYNCHRONOUS = "asynchronous";

  int wanted() {
    return applications * containers;
  }

  int leavesOfParent() {
    return queues / parents;
  }

  boolean is(String named) {
    return mode.equals(named);
  }
}
