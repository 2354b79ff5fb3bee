"""The kinds that KubeYARN reads and writes, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass

JsonObject = dict[str, "Json"]
Json = None | bool | int | float | str | list["Json"] | JsonObject


@dataclass(frozen=True, slots=True)
class Kind:
    """A Kubernetes kind: its group and version, plural name, and whether it lives in namespaces."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """`group/version`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, sub: str = "") -> str:
        """The URL path of an object, or of the collection without *name*."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        what = f"/{name}" if name else ""
        return f"{root}{where}/{self.plural}{what}{'/' + sub if sub else ''}"

    def owner_reference(self, name: str, uid: str) -> JsonObject:
        """What makes Kubernetes remove an object with its owner, one of this kind."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": name,
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


QUEUES = Kind("kubeyarn.io", "v1alpha1", "yarnqueues", "YarnQueue", namespaced=False)
APPLICATIONS = Kind("kubeyarn.io", "v1alpha1", "yarnapplications", "YarnApplication", True)
REQUESTS = Kind("kubeyarn.io", "v1alpha1", "containerrequests", "ContainerRequest", True)
PODS = Kind("", "v1", "pods", "Pod", True)
NODES = Kind("", "v1", "nodes", "Node", namespaced=False)
SECRETS = Kind("", "v1", "secrets", "Secret", True)
EVENTS = Kind("events.k8s.io", "v1", "events", "Event", True)
SERVICES = Kind("", "v1", "services", "Service", True)
ENDPOINT_SLICES = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True)
LEASES = Kind("coordination.k8s.io", "v1", "leases", "Lease", True)
TOKEN_REVIEWS = Kind("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
ACCESS_REVIEWS = Kind(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
