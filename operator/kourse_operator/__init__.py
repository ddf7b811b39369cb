"""The operator: makes what is declared in Kubernetes real in rows, buckets and bindings.

kopf watches, the engine here reconciles: level-triggered, from the newest state of an object, as often
as it takes. ``plans`` say what must be there, ``actuators`` make it so, ``conditions`` tell how it went.
"""
