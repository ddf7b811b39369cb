"""The dashboard service: what a learner sees of themselves at a glance.

Owns no facts: views are gathered over gRPC from course, assessment, profile and notification, kept in
Redis, and dropped when an event says that something changed. Takes the streams content, enrolment and
attempt. Offers REST.
"""
