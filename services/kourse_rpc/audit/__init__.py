"""Generated from protos/; see hack/gen/protos.py."""
