"""The custom resources: what they are made of, and how raw objects become values.

A resource is written down once, as typed fields (`fields`): `yarn_application`, `yarn_queue` with
`yarn_queue_cluster`, and `container_request`, with what they share in `launch` and `conditions`.
Two things are made of them:

- `schema`: the CustomResourceDefinitions and the field reference. Nothing at run time imports it.
- typed objects: `YarnApplication.read(found)` decodes a raw object once, at the edge where it comes
  in. From there on nobody looks into a raw custom resource. `decoding` says what that checks.

Beyond decoding, a value has to be understood: `quantities`, `shares` and `ranges` parse texts,
`amounts` puts maps of quantities in the order of the cluster's resource types. What they raise is a
`SpecError` about one field of one object; its holder tells it by a condition there (`conditions`),
and every other object is served as before.
"""
