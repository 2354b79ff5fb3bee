"""Pods of containers: how one is built, written and read.

A container is a pod, and the first container of the pod is the YARN container. `pod_builder` makes
it from the grant and the launch context; `environment`, `directories`, `files`, `launch_script` and
`isolation` are its parts, each after the part of Hadoop's NodeManager that does the same.
`template_shape` tells its user of a template that is none.
`localizer` (with `unpacking`) runs inside a pod, in an init container, and so imports nothing of
this process.
`pod_control` writes pods, `pod_state` reads what the kubelet says of them.
"""
