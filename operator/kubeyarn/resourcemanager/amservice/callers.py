"""Who calls the AM service: the ApplicationMaster of an application's current attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.crd.object import Key
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.am_session import AMSession, ProtocolError
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import application_spec
from kubeyarn.resourcemanager.amservice.authentication import NotAuthenticated, PodIdentity
from kubeyarn.resourcemanager.applications import records, unmanaged_am
from kubeyarn.resourcemanager.applications.am_sessions import AMSessions
from kubeyarn.resourcemanager.applications.unmanaged_am import AMToken
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.requests import request_view
from kubeyarn.resourcemanager.requests.request_view import RequestView


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated ApplicationMaster: its application and the session of its attempt."""

    key: Key
    application: YarnApplication
    record: ApplicationRecord
    session: AMSession

    @property
    def keeps_containers(self) -> bool:
        """Whether containers live on from attempt to attempt."""
        return self.application.spec.keep_containers_across_attempts

    def asks(self, cache: Cache) -> list[RequestView]:
        """The requests of the application's ApplicationMasters, of all attempts."""
        views, _ = request_view.views(cache.requests(self.key), self.record.id)
        return [view for view in views if view.role == names.ROLE_ASK]

    def am_request(self, cache: Cache) -> RequestView | None:
        """The request for the current attempt's ApplicationMaster itself."""
        views, _ = request_view.views(cache.requests(self.key), self.record.id)
        number = self.session.attempt.number
        mine = (v for v in views if v.role == names.ROLE_AM and v.attempt == number)
        return next(mine, None)

    def requests_of_containers(self, cache: Cache) -> Mapping[ContainerId, RequestView]:
        """Every container that was granted to its AMs, and the request that it was granted to.

        It is made anew each time: a call that names many containers asks for it once.
        """
        return {
            container: view
            for view in self.asks(cache)
            for container in (*view.completed, *view.grants)
        }

    def must_live(self, *, finished_is_fine: bool = False) -> None:
        """Refuse an ApplicationMaster whose attempt is over.

        Raises:
            ProtocolError: AttemptEnded.
        """
        attempt = self.record.attempt
        gone = attempt is None or attempt.state in (AttemptState.FAILED, AttemptState.KILLED)
        finishing = attempt is not None and attempt.state is AttemptState.FINISHING
        if self.record.ended or gone or (finishing and not finished_is_fine):
            raise ProtocolError(
                "AttemptEnded",
                f"{self.session.attempt} has ended: application {self.record.state}",
            )


def by_pod(cache: Cache, sessions: AMSessions, pod: PodIdentity) -> Caller:
    """The application that *pod* is the current ApplicationMaster of.

    Raises:
        ProtocolError: NotAnApplicationMaster, ApplicationNotFound or AttemptEnded.
    """
    known = cache.pod((pod.namespace, pod.name))
    # The uid, too: a token outlives its pod, and another pod may have the name by now.
    if known is None or known.uid != pod.uid or known.role != names.ROLE_AM:
        raise ProtocolError(
            "NotAnApplicationMaster",
            f"pod {pod.namespace}/{pod.name} is no ApplicationMaster; only an application's "
            "ApplicationMaster may speak for it",
        )
    key = (known.namespace, known.application)
    application = cache.applications.get(key)
    record = records.read(application) if application else None
    if application is None or record is None or record.id != known.container.attempt.application:
        raise ProtocolError(
            "ApplicationNotFound", f"application {key[0]}/{key[1]} does not exist any more"
        )
    if application_spec.speaks_in_objects(application):
        raise ProtocolError(
            "NotAnApplicationMaster",
            f"application {key[0]}/{key[1]} says applicationMaster.protocol: Objects, so its "
            "ApplicationMaster speaks by ContainerRequests and annotations alone",
        )
    attempt = record.attempt
    mine = attempt is not None and attempt.id == known.container.attempt
    if attempt is None or not mine or attempt.container not in (None, known.container):
        raise ProtocolError(
            "AttemptEnded",
            f"pod {pod.name} is not the ApplicationMaster of the current attempt",
        )
    return Caller(key, application, record, sessions.of(key, record))


def by_token(cache: Cache, sessions: AMSessions, token: AMToken) -> Caller:
    """The application that *token* was made for.

    Raises:
        NotAuthenticated: it is not, or not any more, the token of an application.
        ProtocolError: AttemptEnded.
    """
    key = (token.namespace, token.application)
    application = cache.applications.get(key)
    record = records.read(application) if application else None
    if application is None or record is None or not unmanaged_am.matches(token, application):
        raise NotAuthenticated(
            f"Authorization: the token is not that of application {key[0]}/{key[1]}; it is in "
            "the Secret that status.unmanagedAM.secret of the application names"
        )
    return Caller(key, application, record, sessions.of(key, record))
