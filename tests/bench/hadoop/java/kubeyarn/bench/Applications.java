package kubeyarn.bench;

import java.security.PrivilegedExceptionAction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.yarn.api.protocolrecords.GetNewApplicationRequest;
import org.apache.hadoop.yarn.api.protocolrecords.SubmitApplicationRequest;
import org.apache.hadoop.yarn.api.protocolrecords.SubmitApplicationResponse;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ApplicationSubmissionContext;
import org.apache.hadoop.yarn.api.records.ContainerLaunchContext;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceRequest;
import org.apache.hadoop.yarn.server.resourcemanager.MockAM;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttempt;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptEventType;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptImpl;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptState;
import org.apache.hadoop.yarn.util.Records;

/** The applications: submitted, their masters started, then all ask for the same. */
final class Applications {
  private static final Resource SIZE = Resource.newInstance(Nodes.MIB, 1);

  private final LocalResourceManager manager;
  private final Request request;
  private final Setup setup;
  private final List<ApplicationId> ids = new ArrayList<>();
  private final List<MockAM> masters = new ArrayList<>();

  Applications(LocalResourceManager manager, Request request, Setup setup) throws Exception {
    this.manager = manager;
    this.request = request;
    this.setup = setup;
    for (int number = 0; number < request.applications(); number++) {
      submit(number);
    }
  }

  /** Every master that has a container registers; whether all have. */
  boolean register() throws Exception {
    manager.handleEvents();
    for (ApplicationId id : ids) {
      RMAppAttempt attempt = manager.getRMContext().getRMApps().get(id).getCurrentAppAttempt();
      if (attempt.getState() == RMAppAttemptState.ALLOCATED) {
        register((RMAppAttemptImpl) attempt);
      }
    }
    return masters.size() == ids.size();
  }

  void ask() throws Exception {
    Priority priority = Priority.newInstance(1);
    for (MockAM master : masters) {
      ResourceRequest ask =
          ResourceRequest.newInstance(priority, ResourceRequest.ANY, SIZE, request.containers());
      master.allocate(List.of(ask), List.of());
    }
    manager.handleEvents();
  }

  /** How many containers that are no masters each leaf's applications hold, by path. */
  Map<String, Integer> granted() {
    Map<String, Integer> found = new TreeMap<>();
    for (int number = 0; number < ids.size(); number++) {
      int held = live(ids.get(number)) - 1;
      found.merge(setup.leaf(number % request.queues()), held, Integer::sum);
    }
    return found;
  }

  private int live(ApplicationId id) {
    var application = manager.scheduler().getSchedulerApplications().get(id);
    return application.getCurrentAppAttempt().getLiveContainers().size();
  }

  private void submit(int number) throws Exception {
    var service = manager.getClientRMService();
    var id = service.getNewApplication(GetNewApplicationRequest.newInstance()).getApplicationId();
    SubmitApplicationRequest submission = SubmitApplicationRequest.newInstance(context(id, number));
    PrivilegedExceptionAction<SubmitApplicationResponse> call =
        () -> service.submitApplication(submission);
    UserGroupInformation.createRemoteUser("u" + number % request.users()).doAs(call);
    manager.handleEvents();
    ids.add(id);
  }

  private ApplicationSubmissionContext context(ApplicationId id, int number) {
    ApplicationSubmissionContext made = Records.newRecord(ApplicationSubmissionContext.class);
    made.setApplicationId(id);
    made.setApplicationName(id.toString());
    made.setQueue(setup.leaf(number % request.queues()));
    made.setResource(SIZE);
    made.setAMContainerSpec(
        ContainerLaunchContext.newInstance(null, null, null, null, null, null));
    return made;
  }

  private void register(RMAppAttemptImpl attempt) throws Exception {
    ApplicationAttemptId id = attempt.getAppAttemptId();
    var secrets = manager.getRMContext().getAMRMTokenSecretManager();
    attempt.setAMRMToken(secrets.createAndGetAMRMToken(id));
    attempt.handle(new RMAppAttemptEvent(id, RMAppAttemptEventType.LAUNCHED));
    manager.handleEvents();
    MockAM master = new MockAM(manager.getRMContext(), manager.getApplicationMasterService(), id);
    master.registerAppAttempt(false);
    manager.handleEvents();
    masters.add(master);
  }
}
