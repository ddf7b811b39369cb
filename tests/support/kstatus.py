"""The kstatus algorithm as cli-utils has it (pkg/kstatus/status/generic.go): what Flux and kpt go by."""


def kstatus(resource):
    """Terminating, InProgress, Failed or Current."""
    meta, status = resource["metadata"], resource.get("status", {})
    if meta.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != meta["generation"]:
        return "InProgress"
    found = {item["type"]: item["status"] for item in status.get("conditions", [])}
    if found.get("Reconciling") == "True":
        return "InProgress"
    if found.get("Stalled") == "True":
        return "Failed"
    if "Ready" in found:
        return "Current" if found["Ready"] == "True" else "InProgress"
    return "Current"


def wait_for_ready(resource):
    """Whether ``kubectl wait --for=condition=Ready`` is satisfied."""
    meta, status = resource["metadata"], resource.get("status", {})
    for item in status.get("conditions", []):
        if item["type"] == "Ready":
            observed = item.get("observedGeneration", status.get("observedGeneration"))
            is_current = observed is None or observed >= meta["generation"]
            return is_current and item["status"] == "True"
    return False
