"""The custom resources: what they are made of, and how raw objects become values.

A resource is written down once, as typed fields (`fields`): `yarn_application`, `yarn_queue` with
`yarn_queue_cluster`, and `container_request`, with what they share in `launch` and `conditions`.
Two things are made of them:

- `schema`: the CustomResourceDefinitions and the field reference. Nothing at run time imports it.
- typed objects: `YarnApplication.read(item)` decodes a raw object once, at the edge where it comes
  in. `decoding` says what that checks. Raw objects are kept only to be compared with what is to be
  written.

Beyond decoding, a value has to be understood. Methods of the kinds do that for the schedulers:
`YarnApplication.submission`, `ContainerRequest.ask` and `ContainerRequest.granted_nodes`. Queues
make one configuration together, so `scheduler_config` reads all of them, field by field, with
`scheduler_config_cluster` and `scheduler_config_fair`. `quantities`, `shares`, `ranges` and `times`
parse texts; `amounts` puts maps of quantities in the order of the cluster's resource types.

All of them raise a `SpecError` about one field of one object. Whoever holds the object tells it by
a condition there (`conditions`; `all_fields_acting` finds the fields that do nothing), and serves
every other object as before. Nothing is cached here but what texts parse to.
"""
