"""KubeYARN: Hadoop YARN's ResourceManager, schedulers and application life cycle on Kubernetes."""

__version__ = "0.1.0"
