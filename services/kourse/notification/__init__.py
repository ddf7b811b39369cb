"""Notification: what people are told, by which channel, and the points that they earn.

Owns notifications with their deliveries, the points ledger, and local replicas of people's language, course
and cohort titles and enrolments. Takes the user, group, content, enrolment, exam and attempt streams;
sends no events. Answers ``GetStanding``. Addresses and codes are asked of identity when a mail leaves.
"""
