"""Profile owns profiles, goals, cohorts and their members.

Declared: Cohort (``authoring``). Replica of a sibling's facts: courses. Events out:
``profile.cohort.declared``, ``profile.group.joined``, ``.left`` and ``.transferred``,
``profile.announcement.posted``, ``profile.message.sent`` and ``profile.settings.changed``; in:
``identity.user.registered`` and ``course.content.published``. RPCs: ``ListProfiles``, ``ListGoals`` and
``ListMembers``, the latter two also as batches.
"""
