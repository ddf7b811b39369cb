"""Objects in plain S3: data and links for services, buckets for those who look after them."""

from kourse.kit.storage.buckets import BucketAdmin, Degradation
from kourse.kit.storage.objects import ObjectInfo, ObjectStore
from kourse.kit.storage.signing import MAX_LINK_S, Signer, Upload
from kourse.kit.storage.taking import FileMissing, take_over

__all__ = [
    "MAX_LINK_S",
    "BucketAdmin",
    "Degradation",
    "FileMissing",
    "ObjectInfo",
    "ObjectStore",
    "Signer",
    "Upload",
    "take_over",
]
