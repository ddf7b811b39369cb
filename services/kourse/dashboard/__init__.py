"""The dashboard service: where learners stand, whom teachers should help, and how a tenant does.

Owns no facts but one, who is at risk. Learners' views are gathered over gRPC from course, assessment, profile
and notification; teachers' are read from what events told. Both are kept in Redis until an event says that
something changed. Offers REST and live streams.
"""
